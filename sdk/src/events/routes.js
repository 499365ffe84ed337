/** Soft navigations: tells whenever the address may have changed. */

import { safely } from '../core/console.js';

/**
 * @param {() => void} changed May be called when nothing changed, and more than once.
 * @param {import('../tracker.js').Core} core Its end gives the page its own history functions back.
 */
export function watchRoutes(changed, core) {
  const { ends, on } = core;
  on(window, 'popstate', changed); // also when only the hash changes
  // Also sees what a page does with a history function that it took before this script ran.
  const { navigation } = /** @type {any} */ (window);
  if (navigation) on(navigation, 'currententrychange', changed);
  for (const name of /** @type {const} */ (['pushState', 'replaceState'])) {
    const original = history[name];
    /** @this {History} @param {Parameters<History['pushState']>} args */
    const wrapped = function (...args) {
      original.apply(this, args);
      if (core.ends === ends) safely(changed)();
    };
    history[name] = wrapped;
    ends.push(() => {
      // Someone may have wrapped this wrapper: it must stay then, and does nothing.
      if (history[name] === wrapped) history[name] = original;
    });
  }
}
