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
  const [start, high, low] = crypto.getRandomValues(new Uint32Array(3));
  if (now > lastMs || ++counter > 0xfff) {
    lastMs = Math.max(now, lastMs + 1);
    counter = start >>> 21; // leaves room to count up
  }
  const time = hex(lastMs, 12);
  const random = hex(high, 8) + hex(low, 8);
  // The variant takes two bits; two more are left at 0.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(counter, 3)}-8${random.slice(1, 4)}-${random.slice(4)}`;
}
