/** The visitor's run of activity: one id for all tabs, until it is idle for too long. */

import { parse, stringify } from './json.js';
import { keep } from './store.js';
import { uuid7 } from './uuid.js';

const MAX_AGE_MS = 24 * 3600 * 1000;

/**
 * @typedef {object} Entry Where a session comes from.
 * @property {string} [entryReferrer]
 * @property {Record<string, string>} [utm] The campaign of its first address.
 */

/** @typedef {Entry & { id: string, start: number, last: number }} Session */

/**
 * Say whether a session goes on at this time.
 *
 * A `last` in the future means that the clock was set back: nothing about the age can be known then.
 *
 * @param {any} session A `Session`, or an object without its keys when there has been none.
 * @param {number} now
 * @param {number} timeoutMs
 */
export const isLive = ({ start, last }, now, timeoutMs) =>
  last <= now && now - last < timeoutMs && now - start < MAX_AGE_MS;

/**
 * @param {import('./store.js').Store} store
 * @param {string | false} key False when the server tells sessions apart: they have no id here.
 * @param {number} timeoutMs
 * @param {() => number} [now]
 */
export function createSession(store, key, timeoutMs, now = Date.now) {
  /** @type {Partial<Session>} */
  let current = {};

  // Other tabs keep the session alive too, so it is read again before every decision.
  const peek = () => {
    try {
      if (key) current = parse(store[key]) || current;
    } catch {}
    return current;
  };

  return {
    /** The session as it is, without a sign of life: a farewell must not open a new one. */
    peek,

    /**
     * Take a sign of life, which opens a session when none is live.
     *
     * @param {Partial<Session>} entry Where a new session comes from.
     */
    touch(entry) {
      if (!key) return entry;
      const last = now();
      const known = peek();
      const session = isLive(known, last, timeoutMs) ? known : { ...entry, id: uuid7(last), start: last };
      current = { ...session, last };
      keep(store, key, stringify(current));
      return current;
    },
  };
}
