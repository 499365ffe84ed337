/** Every event goes through here: session, context, the page's own say, the queue. */

import { readUtm } from '../core/address.js';
import { say } from '../core/console.js';
import { readContext } from '../core/event.js';
import { encode } from '../core/json.js';
import { uuid7 } from '../core/uuid.js';

const MAX_NAME = 200;

/**
 * @param {import('../tracker.js').Core} core
 * @param {ReturnType<typeof import('../core/session.js').createSession>} sessions
 * @param {string} pageId Names the document, so that the server knows which of a visitor's pages has gone.
 */
export const createEmit =
  (core, sessions, pageId) =>
  /**
   * @param {string} name
   * @param {import('../types.js').Properties} [properties]
   * @param {number} [at] When it happened, if not now.
   * @param {import('../core/event.js').View} [farewellTo] The view that it ends: it then opens no session.
   * @param {import('../types.js').Properties} [traits]
   */
  (name, properties, at = Date.now(), farewellTo, traits) => {
    const { options, sender } = core;
    if (!core.ends) return;
    const view = farewellTo || core.readView();
    const entry = { entryReferrer: view.referrer, utm: readUtm(location.search) };
    const known = sessions.peek();
    const session = farewellTo && known.id ? known : sessions.touch(entry);
    const context = { ...readContext(view, session), pageId };

    /** @param {string} event @param {import('../types.js').Properties} [own] */
    const push = (event, own) => {
      /** @type {import('../types.js').GlimpseEvent | null | undefined | false} */
      let made = {
        event: event.slice(0, MAX_NAME),
        id: uuid7(),
        timestamp: at,
        sessionId: session.id,
        traits,
        properties: { ...options.props, ...own },
        context: { ...context, lostEvents: sender.takeLost() },
      };
      if (options.beforeSend) made = options.beforeSend(made);
      if (options.debug) say(event, made);
      if (made) sender.add(encode(made));
    };

    if (options.auto && session.id !== known.id) push('session_start');
    push(name, properties);
  };
