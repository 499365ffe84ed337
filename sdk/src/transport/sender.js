/**
 * From queue to server: soon, in few requests, and again when it fails.
 *
 * An event leaves at once unless a request is under way; then it waits for the answer, a full batch or the
 * flush interval. When the page may be going, all leaves in requests that outlive it.
 */

import { say } from '../core/console.js';
import { bytesOf, envelope, takeBatch } from './batch.js';
import { saveOutbox, takeOutboxes } from './outbox.js';
import { backoffMs, isWorthRetrying, MAX_RETRIES, retryAfterMs, TOO_LARGE } from './verdict.js';

const BATCH_EVENTS = 20;
const BATCH_BYTES = 48 * 1024;
const SOON_MS = 25;
const MAX_QUEUED = 500;
const MAX_QUEUED_BYTES = 256 * 1024;
const HIDE_BYTES = 30 * 1024 - 256; // the envelope takes some
// Browsers refuse what goes beyond 65,536 bytes of requests that may outlive the page.
const OUTLIVING_BYTES = 64_000;

/**
 * @param {object} parts
 * @param {string} parts.endpoint
 * @param {string} parts.project
 * @param {number} parts.flushInterval
 * @param {import('../core/store.js').Store} store
 * @param {string} prefix Of the keys that hold what could not be sent.
 * @param {string} pageId
 */
export function createSender({ endpoint, project, flushInterval }, store, prefix, pageId) {
  const outbox = prefix + pageId;
  const post = fetch; // taken now: pages replace it later
  /** @type {string[]} */
  let queue = [];
  /** @type {Set<string[]>} */
  const flying = new Set();
  let failures = 0;
  let lost = 0;
  let batchEvents = BATCH_EVENTS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const save = () => saveOutbox(store, outbox, [...flying, queue].flat());

  /** @param {string[]} texts */
  const enqueue = (texts) => {
    queue = texts;
    while (queue.length > MAX_QUEUED || bytesOf(queue) > MAX_QUEUED_BYTES) {
      queue.shift();
      lost++;
    }
  };

  /** @param {string[]} batch */
  const putBack = (batch) => enqueue([...batch, ...queue]);

  /** @param {string[]} batch @param {number} status @param {string | null} [retryAfter] */
  const settle = (batch, status, retryAfter) => {
    flying.delete(batch);
    if (isWorthRetrying(status)) {
      putBack(batch);
      clearTimeout(timer);
      // After the last try, it waits for the network or the visitor to come back.
      timer =
        ++failures > MAX_RETRIES
          ? undefined
          : setTimeout(flush, Math.max(backoffMs(failures), retryAfterMs(retryAfter, Date.now())));
      return save();
    }
    failures = 0;
    batchEvents = BATCH_EVENTS;
    if (status === TOO_LARGE && batch[1]) {
      batchEvents = batch.length >> 1;
      putBack(batch);
    } else if (status > 299) say('refused', status, batch);
    if (store[outbox]) save();
    flush();
  };

  const mayOutlive = () => bytesOf([...flying].flat()) < OUTLIVING_BYTES;

  /** @param {string[]} batch */
  const send = (batch) => {
    flying.add(batch);
    return post(endpoint, {
      method: 'POST',
      body: envelope(batch, project, Date.now()), // a string goes as text/plain, which needs no preflight
      keepalive: mayOutlive(),
      credentials: 'omit',
    }).then(
      ({ status, headers }) => settle(batch, status, headers.get('retry-after')),
      () => settle(batch, 0),
    );
  };

  /** Send what is queued; while the server fails, one batch asks how it is. */
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const sends = [];
    while (queue[0] && !(failures && sends[0])) sends.push(send(takeBatch(queue, batchEvents, BATCH_BYTES)));
    return Promise.all(sends);
  };

  return {
    flush,

    /** @param {string} text An event as JSON. */
    add(text) {
      enqueue([...queue, text]);
      if (failures) return;
      if (queue.length >= batchEvents || bytesOf(queue) > BATCH_BYTES) flush();
      else timer ??= setTimeout(flush, flying.size ? flushInterval : SOON_MS);
    },

    /** Send all in requests that outlive the page; what may not make it is kept until it is answered. */
    flushOnHide() {
      while (queue[0]) send(takeBatch(queue, MAX_QUEUED, HIDE_BYTES));
      if (failures || !mayOutlive()) save();
    },

    /** Take up what earlier pages left. */
    resume() {
      putBack(takeOutboxes(store, prefix));
      flush();
    },

    /** Try again at once: the network is back, or the visitor. */
    wake() {
      failures = 0;
      flush();
    },

    /** Say how many events had to go, once. */
    takeLost() {
      const count = lost;
      lost = 0;
      return count || undefined;
    },

    /** Forget everything, here and on the device. */
    discard() {
      takeOutboxes(store, prefix);
      queue = [];
    },
  };
}
