/**
 * The tracker as a module: `import { init, track } from 'glimpse-sdk'`.
 *
 * Importing it does nothing, in a browser or on a server; calls before `init` wait for it.
 */

import { safely, say } from './core/console.js';
import { createTracker } from './tracker.js';

// Each by its name, as a bundler looks for it.
/** @param {string} name */
const fetchPart = (name) => (name === 'more' ? import('./more.js') : import('./pace.js'));

/** @type {any} */
let tracker;
/** @type {(() => void)[]} */
const early = [];

/** Call the tracker, or remember the call until there is one. @type {(method: string, ...args: any[]) => any} */
const call = safely((/** @type {string} */ method, /** @type {any[]} */ ...args) => {
  if (tracker) return tracker[method](...args);
  early.push(() => call(method, ...args));
});

/** @type {typeof import('./types.js').init} */
export const init = (options) => {
  if (typeof window === 'undefined') return;
  if (tracker) return say('already running');
  tracker = createTracker(options, fetchPart, import.meta.url);
  for (const run of early) run();
};

/** @type {typeof import('./types.js').track} */
export const track = (...args) => call('track', ...args);

/** @type {typeof import('./types.js').page} */
export const page = (...args) => call('page', ...args);

/** @type {typeof import('./types.js').trackOnView} */
export const trackOnView = (...args) => {
  if (tracker) return call('trackOnView', ...args);
  let watch = () => call('trackOnView', ...args);
  early.push(() => {
    watch = watch();
  });
  return () => {
    // Before `init` this unwatches what was not watched yet.
    if (tracker) watch?.();
    else watch = () => {};
  };
};

/** @type {typeof import('./types.js').identify} */
export const identify = (...args) => call('identify', ...args);

/** @type {typeof import('./types.js').flush} */
export const flush = async () => {
  await tracker?.flush();
};

/** @type {typeof import('./types.js').optOut} */
export const optOut = (...args) => call('optOut', ...args);

/** @type {typeof import('./types.js').sessionId} */
export const sessionId = () => tracker?.sessionId();

/** @type {typeof import('./types.js').stop} */
export const stop = () => call('stop');
