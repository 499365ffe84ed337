/** Builds the tracker of one page once, and hands its parts to each other. */

import { endpointBeside } from './core/address.js';
import { OPT_OUT_KEY, whySilent } from './core/consent.js';
import { listen, safely, say } from './core/console.js';
import { readView } from './core/event.js';
import { createSession } from './core/session.js';
import { openStore } from './core/store.js';
import { uuid7 } from './core/uuid.js';
import { startAuto } from './events/auto.js';
import { createEmit } from './events/track.js';
import { createTrackOnView } from './events/trackOnView.js';
import { createSender } from './transport/sender.js';

/** @typedef {import('./types.js').Properties} Properties */

/** @typedef {{ more: typeof import('./more.js'), pace: typeof import('./pace.js') }} Parts What is fetched by need. */

/**
 * @template {keyof Parts} Name
 * @typedef {(name: Name) => Promise<Parts[Name]>} Fetch
 */

/**
 * @typedef {object} Core What the parts of the tracker share.
 * @property {import('./types.js').Options} options
 * @property {ReturnType<typeof createSender>} sender
 * @property {ReturnType<typeof createEmit>} emit
 * @property {() => import('./core/event.js').View} readView Describes the page as it is now.
 * @property {import('./core/event.js').View} [view] The page that was counted last.
 * @property {(() => void)[]} ends What takes the hooks out of the page again; undefined when none are in it.
 * @property {(...args: Parameters<typeof listen>) => void} on Listens until the end.
 * @property {<Name extends keyof Parts, T>(name: Name, use: (part: Parts[Name]) => T) => Promise<T | void>} load
 */

/** Options that are on, or have a value, when nothing is said. */
const DEFAULTS = {
  auto: true,
  outbound: true,
  downloads: true,
  forms: true,
  sessionTimeout: 300,
  flushInterval: 1000,
  respectGpc: true,
  localhost: true,
};

/**
 * @param {import('./types.js').Options} given
 * @param {(name: any, endpoint: string) => Promise<any>} fetchPart
 * @param {string} [script] Where this script came from.
 */
export function createTracker(given, fetchPart, script) {
  const options = { endpoint: endpointBeside(script || location.href), ...DEFAULTS, ...given };
  const key = `glimpse:${options.project}:`;
  const isLasting = options.storage !== 'none';
  const store = openStore(isLasting);
  const pageId = uuid7();
  const sender = createSender(options, store, key, pageId);
  /** @type {Core} */
  const core = /** @type {any} */ ({
    options,
    sender,
    readView: () => readView(core.view, options),
    load: (/** @type {any} */ name, /** @type {any} */ use) =>
      fetchPart(name, options.endpoint).then(use).catch(say),
  });
  const sessions = createSession(store, isLasting && `${key}session`, options.sessionTimeout * 1000);
  const emit = safely(createEmit(core, sessions, pageId));
  core.emit = emit;
  /** @type {Core['on']} */
  const on = (...args) => core.ends.push(listen(...args));
  core.on = on;

  const start = () => {
    const reason = whySilent(options, store);
    if (reason) return say('off:', reason);
    core.ends = [];
    sender.resume();
    if (options.auto) startAuto(core);
    if (options.errors) core.load('more', ({ watchErrors }) => watchErrors(emit, on));
    if (options.vitals) core.load('pace', ({ watchVitals }) => watchVitals(emit, () => core.view));
    on(window, 'online', sender.wake);
    // After the hooks above, so that their farewells go too.
    on(window, 'pagehide', sender.flushOnHide);
    on(document, 'visibilitychange', () => (document.hidden ? sender.flushOnHide() : sender.wake()));
  };

  const stop = () => {
    sender.flushOnHide();
    for (const end of core.ends || []) end();
    core.ends = /** @type {any} */ (undefined);
  };

  start();

  return {
    track: (/** @type {string} */ name, /** @type {Properties} */ properties) => emit(name, properties),

    page(/** @type {Properties} */ properties) {
      core.view = core.readView();
      emit('page_view', properties);
    },

    trackOnView: createTrackOnView(core),

    identify: (/** @type {Properties} */ traits) => emit('identify', {}, undefined, undefined, traits),

    flush: sender.flush,

    optOut(isOut = true) {
      if (isOut) {
        sender.discard();
        stop();
        store[OPT_OUT_KEY] = '1';
      } else {
        delete store[OPT_OUT_KEY];
        if (!core.ends) start();
      }
    },

    sessionId: () => sessions.peek().id,

    stop,
  };
}
