/** Ids that sort by the time they were made (UUIDv7, RFC 9562 with a 12-bit counter, method 1 of section 6.2). */

let lastMs = 0;
let counter = 0;

/** @param {number} number @param {number} digits */
const hex = (number, digits) => number.toString(16).padStart(digits, '0');

/**
 * @param {number} [now] Milliseconds since 1970.
 * @returns {string}
 */
export function uuid7(now = Date.now()) {
  const [high, low, start] = crypto.getRandomValues(new Uint32Array(3));
  if (now > lastMs || ++counter > 0xfff) {
    lastMs = Math.max(now, lastMs + 1);
    counter = start >>> 21; // leaves room to count up
  }
  const variant = hex(((high >>> 2) | 0x80000000) >>> 0, 8);
  return (hex(lastMs, 12) + 7 + hex(counter, 3) + variant + hex(low, 8)).replace(
    /(.{8})(.{4})(.{4})(.{4})/,
    '$1-$2-$3-$4-',
  );
}
