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
 * Listen without ever throwing into the page.
 *
 * @param {EventTarget} target
 * @param {string} type
 * @param {(event: any) => void} hook
 * @returns {() => void} Ends it.
 */
export const listen = (target, type, hook) => {
  const listener = safely(hook);
  // Capturing: the page may stop a click on its way.
  target.addEventListener(type, listener, true);
  return () => target.removeEventListener(type, listener, true);
};
