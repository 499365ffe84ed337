/** Queued events as text: their size on the wire, and bodies made of them. */

const encoder = new TextEncoder();

/** Count the bytes that events take in a body. @param {string[]} texts Each an event as JSON. */
export const bytesOf = (texts) => encoder.encode(texts.join()).length;

/**
 * Take the next batch off the front of the queue: at least one event, so that none can block the rest.
 *
 * @param {string[]} queue Loses what is taken.
 * @param {number} maxEvents
 * @param {number} maxBytes
 */
export function takeBatch(queue, maxEvents, maxBytes) {
  let count = 1;
  while (count < maxEvents && queue[count] && bytesOf(queue.slice(0, count + 1)) <= maxBytes) count++;
  return queue.splice(0, count);
}

/**
 * Write a request's body.
 *
 * @param {string[]} batch
 * @param {string} project
 * @param {number} sentAt Stamped anew for each attempt: the server corrects the clock by it.
 * @param {boolean} isDeferred Whether it is stamped long before it is sent.
 */
export const envelope = (batch, project, sentAt, isDeferred) =>
  `{"projectId":"${project}","sentAt":${sentAt},"deferred":${isDeferred},"events":[${batch.join()}]}`;
