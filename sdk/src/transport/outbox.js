/** Events that could not be sent, kept for the next page: at most a day, and only after a failure. */

import { parse, stringify } from '../core/json.js';
import { keep } from '../core/store.js';

const MAX_AGE_MS = 24 * 3600 * 1000;

/**
 * Keep events, or forget those kept when there are none.
 *
 * @param {import('../core/store.js').Store} store
 * @param {string} key Each page has its own, so that none overwrites another's.
 * @param {string[]} texts
 */
export function saveOutbox(store, key, texts) {
  delete store[key];
  if (texts[0]) keep(store, key, stringify([Date.now(), texts]));
}

/**
 * Take over what earlier pages left. A live page may still send its own too: the server counts an id once.
 *
 * @param {import('../core/store.js').Store} store
 * @param {string} prefix
 * @returns {string[]}
 */
export const takeOutboxes = (store, prefix) =>
  Object.keys(store).flatMap((key) => {
    if (!key.startsWith(prefix)) return [];
    const saved = store[key];
    delete store[key];
    try {
      const [savedAt, texts] = parse(saved);
      return Date.now() - savedAt < MAX_AGE_MS ? texts : [];
    } catch {
      return [];
    }
  });
