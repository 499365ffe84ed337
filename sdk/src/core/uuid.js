/** Ids that sort by the time they were made (UUIDv7, RFC 9562 with a 12-bit counter, method 1 of section 6.2). */

// The time and its counter as one number, which holds until 2039; then ids of one millisecond may share a count.
let lastTick = 0;

/** @param {number} word Of 32 bits. */
const hex = (word) => (word + 2 ** 32).toString(16).slice(1);

/**
 * @param {number} [now] Milliseconds since 1970.
 * @returns {string}
 */
export function uuid7(now = Date.now()) {
  const [start, high, low] = crypto.getRandomValues(new Uint32Array(3));
  // The counter starts in its lower half, which leaves room to count up; past its end it is the next millisecond.
  lastTick = Math.max(lastTick + 1, now * 4096 + (start >>> 21));
  const time = lastTick.toString(16).padStart(15, '0');
  const random = hex(high) + hex(low);
  // The variant takes two bits; two more are left at 0.
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${time.slice(12)}-8${random.slice(1, 4)}-${random.slice(4)}`;
}
