/** Where an event happens: the page, the screen, the connection, the language. */

import { routeKey } from './address.js';

/**
 * @typedef {object} View
 * @property {string} key
 * @property {string} url
 * @property {string} path
 * @property {string} title
 * @property {string} referrer
 * @property {string} [previousPath]
 */

/**
 * Describe the page that the browser shows now.
 *
 * @param {View | undefined} last The view before; after a soft navigation it is the referrer.
 * @param {Pick<import('../types.js').Options, 'hash' | 'cleanUrl'>} options
 * @returns {View}
 */
export function readView(last, { hash, cleanUrl = (address) => address }) {
  const { href } = location;
  const { title, referrer } = document;
  const key = routeKey(href, hash);
  if (last?.key === key) return { ...last, title };
  const url = cleanUrl(href);
  return {
    key,
    url,
    path: new URL(url, href).pathname,
    title,
    referrer: last ? last.url : referrer && cleanUrl(referrer),
    previousPath: last?.path,
  };
}

/**
 * Copy some keys, as a browser's own objects don't turn into JSON.
 *
 * @param {any} source
 * @param {string} keys
 */
const pick = (source, keys) => source && Object.fromEntries(keys.split(' ').map((key) => [key, source[key]]));

/**
 * Describe what every event tells of its surroundings.
 *
 * @param {View} view
 * @param {import('./session.js').Entry} entry
 */
export const readContext = ({ key: _, ...view }, { entryReferrer, utm }) => ({
  ...view,
  entryReferrer,
  utm,
  viewport: `${innerWidth}x${innerHeight}`,
  screen: { ...pick(screen, 'width height colorDepth'), pixelRatio: devicePixelRatio },
  connection: pick(/** @type {any} */ (navigator).connection, 'effectiveType saveData downlink rtt'),
  language: navigator.language,
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
});
