/** JSON that survives the page: functions taken at load, values that the server will accept. */

// Taken now: pages (and old libraries) replace these later.
export const { parse, stringify } = JSON;

const MAX_STRING = 4096;
const LONE_SURROGATE = /[\ud800-\udfff]/gu;

/**
 * Write JSON whose strings are short and well formed, as the server asks. Cutting can split a pair.
 *
 * @param {unknown} value
 */
export const encode = (value) =>
  stringify(value, (_key, part) =>
    typeof part === 'string' ? part.slice(0, MAX_STRING).replace(LONE_SURROGATE, '\ufffd') : part,
  );
