/**
 * From queue to server: soon, in few requests, and again when it fails.
 *
 * An event leaves at once unless a request is under way; then it waits for the answer, a full batch or the
 * flush interval. When the page may be going, all leaves in requests that outlive it.
 */

import { say } from '../core/console.js';
import { parse } from '../core/json.js';
import { keep } from '../core/store.js';
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
const WARY_MS = 3600_000;

/**
 * @param {object} parts
 * @param {string} parts.endpoint
 * @param {string} parts.project
 * @param {number} parts.flushInterval
 * @param {import('../core/store.js').Store} store
 * @param {string} key Begins the keys that tell of failure, and hold what could not be sent.
 * @param {string} pageId
 */
export function createSender({ endpoint, project, flushInterval }, store, key, pageId) {
  const prefix = `${key}outbox:`;
  const outbox = prefix + pageId;
  const failedAt = `${key}failed`;
  const { fetch: post, fetchLater: postLater } = /** @type {any} */ (globalThis); // taken now: pages replace them later
  /** @type {string[]} */
  let queue = [];
  /** @type {Set<string[]>} */
  const flying = new Set();
  let failures = 0;
  let lost = 0;
  let batchEvents = BATCH_EVENTS;
  /** @type {string | null | undefined} Why the server ignored what was sent last. */
  let told;
  /** @type {any} */
  let timer;
  /** @type {unknown} */
  let isArming;
  /** @type {AbortController | undefined} */
  let armed;

  const save = () => saveOutbox(store, outbox, [...flying, queue].flat());

  /** @param {string[]} texts */
  const enqueue = (texts) => {
    queue = texts;
    while (queue.length > MAX_QUEUED || bytesOf(queue) > MAX_QUEUED_BYTES) {
      // What goes may itself tell of some that went before.
      lost += 1 + (parse(/** @type {string} */ (queue.shift())).context?.lostEvents || 0);
    }
  };

  /** @param {string[]} batch */
  const putBack = (batch) => enqueue([...batch, ...queue]);

  /** @param {string[]} batch @param {number} status @param {Headers} [headers] */
  const settle = (batch, status, headers) => {
    flying.delete(batch);
    if (isWorthRetrying(status)) {
      putBack(batch);
      clearTimeout(timer);
      // After the last try, it waits for the network or the visitor to come back.
      if (++failures <= MAX_RETRIES) {
        timer = setTimeout(
          flush,
          Math.max(backoffMs(failures), retryAfterMs(headers?.get('retry-after'), Date.now())),
        );
      }
      keep(store, failedAt, Date.now());
      return save();
    }
    failures = 0;
    batchEvents = BATCH_EVENTS;
    if (status === TOO_LARGE && batch[1]) {
      batchEvents = batch.length >> 1;
      putBack(batch);
    } else if (status > 299) say('refused', status, batch);
    const reason = headers?.get('x-glimpse-dropped');
    if (reason && reason !== told) say('ignored:', reason);
    told = reason;
    if (store[outbox]) save();
    flush();
  };

  const mayOutlive = () => bytesOf([...flying].flat()) < OUTLIVING_BYTES;

  /** Whether an answer may never be seen that should be: it failed lately, or it can't be sent at all. */
  const isWary = () =>
    failures || !mayOutlive() || !navigator.onLine || Date.now() - +store[failedAt] < WARY_MS;

  /** @param {string[]} batch @param {boolean} [isDeferred] */
  const request = (batch, isDeferred = false) => ({
    method: 'POST',
    // A string goes as text/plain, which needs no preflight.
    body: envelope(batch, project, Date.now(), isDeferred),
    credentials: 'omit',
  });

  /** @param {string[]} batch */
  const send = (batch) => {
    armed?.abort();
    flying.add(batch);
    if (isWary()) save();
    return post(endpoint, { ...request(batch), keepalive: mayOutlive() }).then(
      (/** @type {Response} */ { status, headers }) => settle(batch, status, headers),
      () => settle(batch, 0),
    );
  };

  /** Send what is queued; while the server fails, one batch asks how it is. */
  const flush = () => {
    clearTimeout(timer);
    timer = 0;
    const sends = [];
    while (queue[0] && !(failures && sends[0])) sends.push(send(takeBatch(queue, batchEvents, BATCH_BYTES)));
    return Promise.all(sends);
  };

  /** Send all in requests that outlive the page. */
  const flushOnHide = () => {
    while (queue[0]) send(takeBatch(queue, MAX_QUEUED, HIDE_BYTES));
  };

  /** See to it that what is queued isn't lost if the page goes now: the browser sends it then. */
  const arm = async () => {
    isArming = false;
    if (isWary()) save();
    if (failures) return;
    if (document.hidden) return flushOnHide();
    armed?.abort();
    armed = new AbortController();
    try {
      if (queue[0]) postLater(endpoint, { ...request(queue, true), signal: armed.signal });
    } catch {} // there is no such thing, or too much is queued
  };

  return {
    flush,
    flushOnHide,

    /** @param {string} text An event as JSON. */
    add(text) {
      enqueue([...queue, text]);
      if (!isArming) isArming = Promise.resolve().then(arm);
      if (failures) return;
      if (queue.length >= batchEvents || bytesOf(queue) > BATCH_BYTES) flush();
      else timer ||= setTimeout(flush, flying.size ? flushInterval : SOON_MS);
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
      armed?.abort();
      queue = [];
    },
  };
}
