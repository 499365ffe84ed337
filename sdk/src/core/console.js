/** What the tracker says, and the promise that nothing of it throws into the page. */

/** @param {...unknown} message */
export const say = (...message) => console.info('[glimpse]', ...message);

/**
 * Wrap a hook so that whatever goes wrong in it stays out of the page it is on.
 *
 * @template {unknown[]} A
 * @template R
 * @param {(...args: A) => R} hook
 * @returns {(...args: A) => R | undefined}
 */
export const safely =
  (hook) =>
  (...args) => {
    try {
      return hook(...args);
    } catch (error) {
      say(error);
    }
  };

/**
 * Listen until the signal ends it, without ever throwing into the page.
 *
 * @param {AbortSignal} signal
 * @returns {(target: EventTarget, type: string, hook: (event: any) => void) => void}
 */
export const listener = (signal) => (target, type, hook) =>
  // Capturing: the page may stop a click on its way.
  target.addEventListener(type, safely(hook), { signal, capture: true, passive: true });
