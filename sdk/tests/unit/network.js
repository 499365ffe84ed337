/** The network, the clock and the browser around a sender: what it sends is written down, and answered as a test says. */

import { beforeEach, mock } from 'node:test';
import { createSender } from '../../src/transport/sender.js';

/** @type {{ events: number[], body: any, init: any }[]} */
export let requests;
/** @type {(request: { events: number[] }) => Response | Promise<Response>} */
let answer;
const START = 1_700_000_000_000;

/** @param {typeof answer} next */
export const answerWith = (next) => {
  answer = next;
};

/** Let promises that are settled run their course. */
export const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

/** @param {number} ms */
export const pass = async (ms) => {
  for (let step = 0; step < ms; step += 25) {
    mock.timers.tick(25);
    await settled();
  }
};

/** @param {Record<string, string>} [store] */
export function open(store = {}) {
  const sender = createSender(
    { endpoint: 'https://s.example/event', project: 'shop', flushInterval: 1000 },
    store,
    'glimpse:shop:',
    'p1',
  );
  /** @param {number} from @param {number} count @param {number} [padding] */
  const add = (from, count, padding = 0) => {
    for (let n = from; n < from + count; n++) sender.add(JSON.stringify({ n, pad: 'x'.repeat(padding) }));
  };
  return { sender, store, add };
}

/** What the browser was asked to send when the page is gone, unless it was called off. */
/** @type {{ body: any, signal: AbortSignal }[]} */
export let armed;

beforeEach(() => {
  armed = [];
  Object.assign(globalThis, {
    document: { hidden: false },
    fetchLater: (/** @type {string} */ _url, /** @type {any} */ { body, signal }) =>
      armed.push({ body: JSON.parse(body), signal }),
  });
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: true }, configurable: true });
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: START });
  requests = [];
  answer = () => new Response();
  // The network is the one part that can't be real here.
  globalThis.fetch = async (_url, init) => {
    const body = JSON.parse(`${init?.body}`);
    const request = { body, init, events: body.events.map((/** @type {any} */ { n }) => n) };
    requests.push(request);
    return answer(request);
  };
});

export const sent = () => requests.flatMap(({ events }) => events);
export const range = (/** @type {number} */ count) => Array.from({ length: count }, (_, n) => n);
