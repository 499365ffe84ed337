/** What is kept on the device: localStorage, or an object in memory where that is denied or not wanted. */

/** @typedef {Record<string, any>} Store Both are read and written like a plain object. */

/**
 * @param {boolean} isLasting False keeps everything in memory.
 * @returns {Store}
 */
export function openStore(isLasting) {
  try {
    // Reading the property throws where storage is denied, and it is null in some web views.
    if (isLasting && localStorage) return /** @type {any} */ (localStorage);
  } catch {}
  return {};
}

/** Keep something, where there is room for it. @param {Store} store @param {string} key @param {unknown} value */
export const keep = (store, key, value) => {
  try {
    store[key] = value;
  } catch {} // full: then only this page knows
};
