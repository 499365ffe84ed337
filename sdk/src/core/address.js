/** Addresses: which page one names, which campaign it tells of, where events go. */

/**
 * Name the page that an address shows: two addresses with one key are one page.
 *
 * @param {string} url
 * @param {boolean} [isHashPage] Whether `#hash` makes a page of its own.
 */
export const routeKey = (url, isHashPage) => (isHashPage ? url : url.split('#')[0]);

/**
 * Read the campaign from an address's query.
 *
 * @param {string} search
 * @returns {Record<string, string> | undefined} Undefined when there is none.
 */
export function readUtm(search) {
  /** @type {Record<string, string> | undefined} */
  let utm;
  new URLSearchParams(search).forEach((value, key) => {
    if (key.startsWith('utm_')) utm = { ...utm, [key.slice(4)]: value };
  });
  return utm;
}

/** @param {string} url */
export const withoutQuery = (url) => url.split(/[?#]/)[0];

/**
 * Find where events go from where the script came from: `/stats/sdk/glimpse.js` sends to `/stats/event`.
 *
 * @param {string} script The script's own address.
 */
export const endpointBeside = (script) =>
  new URL(script.includes('/sdk/') ? '../event' : '/event', script).href;
