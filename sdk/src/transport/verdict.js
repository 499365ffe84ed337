/** What an answer means for the events that were sent, and how long to wait for the next try. */

export const MAX_RETRIES = 10;
export const TOO_LARGE = 413;

/**
 * Say whether the same request may go well later: anything but a plain "no" from the server.
 *
 * @param {number} status 0 when there was no answer.
 */
export const isWorthRetrying = (status) => status < 200 || status === 408 || status === 429 || status >= 500;

/**
 * Wait a random part of a span that doubles with each failure, from 1 to 60 s ("full jitter"), so that a
 * crowd of pages doesn't come back in step.
 *
 * @param {number} failures 1 after the first.
 */
export const backoffMs = (failures) => Math.random() * Math.min(60_000, 1000 * 2 ** (failures - 1));

/**
 * Read Retry-After, in seconds or as a date.
 *
 * @param {string | null | undefined} header
 * @param {number} now
 */
export const retryAfterMs = (header, now) =>
  +(/** @type {any} */ (header)) * 1000 || Date.parse(`${header}`) - now || 0;
