/** The page's own errors, for `errors: true`. */

import { withoutQuery } from '../core/address.js';

// A page that fails in a loop says the same again and again.
const MAX_ERRORS = 20;
let count = 0;

/**
 * @param {import('../tracker.js').Core['emit']} emit
 * @param {import('../tracker.js').Core['on']} on
 */
export function watchErrors(emit, on) {
  /** @param {string} message @param {import('../types.js').Properties} [place] */
  const tell = (message, place) => ++count <= MAX_ERRORS && emit('js_error', { message, ...place });

  on(window, 'error', (/** @type {ErrorEvent} */ { message, filename, lineno, colno }) => {
    // A picture that can't be loaded is an error too, but has no message.
    if (message) tell(message, { source: withoutQuery(filename || ''), line: lineno, column: colno });
  });
  on(window, 'unhandledrejection', (/** @type {PromiseRejectionEvent} */ { reason }) =>
    tell(`${reason?.message ?? reason}`),
  );
}
