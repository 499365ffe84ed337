import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { createSender } from '../../src/transport/sender.js';

/** @type {{ events: number[], body: any, init: any }[]} */
let requests;
/** @type {(request: { events: number[] }) => Response | Promise<Response>} */
let answer;
const START = 1_700_000_000_000;

/** Let promises that are settled run their course. */
const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

/** @param {number} ms */
const pass = async (ms) => {
  for (let step = 0; step < ms; step += 25) {
    mock.timers.tick(25);
    await settled();
  }
};

/** @param {Record<string, string>} [store] */
function open(store = {}) {
  const sender = createSender(
    { endpoint: 'https://s.example/event', project: 'shop', flushInterval: 1000 },
    store,
    'out:',
    'p1',
  );
  /** @param {number} from @param {number} count @param {number} [padding] */
  const add = (from, count, padding = 0) => {
    for (let n = from; n < from + count; n++) sender.add(JSON.stringify({ n, pad: 'x'.repeat(padding) }));
  };
  return { sender, store, add };
}

beforeEach(() => {
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

const sent = () => requests.flatMap(({ events }) => events);
const range = (/** @type {number} */ count) => Array.from({ length: count }, (_, n) => n);

test('an event into an empty queue leaves within 50 ms', async () => {
  const { add } = open();
  add(0, 1);
  await pass(50);
  assert.deepEqual(sent(), [0]);
  assert.equal(requests[0].init.credentials, 'omit');
});

test('fifty events at once are three requests', async () => {
  const { add } = open();
  add(0, 50);
  await pass(2000);
  assert.deepEqual(
    requests.map(({ events }) => events.length),
    [20, 20, 10],
  );
  assert.deepEqual(sent(), range(50));
});

test('events wait for the answer to a request under way, but no longer than a second', async () => {
  const { add } = open();
  answer = () => new Promise(() => {});
  add(0, 1);
  await pass(50);
  add(1, 3);
  await pass(900);
  assert.equal(requests.length, 1);
  await pass(150);
  assert.deepEqual(requests[1].events, [1, 2, 3]);
});

test('48 KiB are sent without waiting for twenty events', () => {
  const { add } = open();
  add(0, 5, 10_000);
  assert.deepEqual(sent(), range(5));
  for (const { init } of requests) assert.ok(init.body.length <= 48 * 1024 + 256);
});

test('events refused with 503 come again, once, after a wait', async () => {
  const { add, store } = open();
  answer = () => new Response(null, { status: 503 });
  add(0, 3);
  await pass(50);
  assert.equal(requests.length, 1);
  assert.equal(JSON.parse(Object.values(store)[0])[1].length, 3, 'they are kept after the failure');
  answer = () => new Response();
  await pass(1100);
  assert.deepEqual(
    requests.map(({ events }) => events),
    [
      [0, 1, 2],
      [0, 1, 2],
    ],
  );
  assert.deepEqual(store, {}, 'nothing is kept after success');
});

test('Retry-After is obeyed', async () => {
  const { add } = open();
  answer = () => new Response(null, { status: 429, headers: { 'Retry-After': '30' } });
  add(0, 1);
  await pass(50);
  answer = () => new Response();
  add(1, 40);
  await pass(29_000);
  assert.equal(requests.length, 1, 'not before, however much there is to send');
  await pass(1100);
  assert.deepEqual(
    sent()
      .slice(1)
      .toSorted((a, b) => a - b),
    range(41),
  );
});

test('a failing server is asked at most ten more times, and again when the network is back', async () => {
  const { add, sender } = open();
  answer = () => Promise.reject(new TypeError('offline'));
  add(0, 60);
  await settled();
  const before = requests.length;
  await pass(15 * 60_000);
  assert.ok(requests.length - before <= 10, `${requests.length}`);
  answer = () => new Response();
  requests = [];
  sender.wake();
  await pass(100);
  assert.deepEqual(
    sent().toSorted((a, b) => a - b),
    range(60),
  );
});

test('a batch that is too large is halved until it fits', async () => {
  const { add } = open();
  answer = ({ events }) => new Response(null, { status: events.length > 6 ? 413 : 200 });
  add(0, 20);
  await pass(100);
  const taken = requests.filter(({ events }) => events.length <= 6).flatMap(({ events }) => events);
  assert.deepEqual(
    taken.toSorted((a, b) => a - b),
    range(20),
  );
});

test('one event that is too large is dropped and the others go on', async () => {
  const { add } = open();
  answer = ({ events }) => new Response(null, { status: events.includes(2) ? 413 : 200 });
  add(0, 5);
  await pass(100);
  const taken = requests.filter(({ events }) => !events.includes(2)).flatMap(({ events }) => events);
  assert.deepEqual(
    taken.toSorted((a, b) => a - b),
    [0, 1, 3, 4],
  );
});

test('other refusals are final', async () => {
  const { add, store } = open();
  answer = () => new Response(null, { status: 400 });
  add(0, 2);
  await pass(120_000);
  assert.equal(requests.length, 1);
  assert.deepEqual(store, {});
});

test('past 500 waiting events the oldest go, and are counted', async () => {
  const { add, sender } = open();
  answer = () => new Promise(() => {});
  add(0, 1);
  await pass(50);
  answer = () => new Response(null, { status: 503 });
  add(1, 20);
  await settled();
  add(21, 600);
  assert.equal(sender.takeLost(), 120);
  assert.equal(sender.takeLost(), undefined);
});

test('on hide all leaves at once in bodies of at most 30 KiB that outlive the page', async () => {
  const { add, sender } = open();
  add(0, 15, 3000);
  sender.flushOnHide();
  assert.deepEqual(sent(), range(15));
  for (const { init } of requests) {
    assert.ok(new TextEncoder().encode(init.body).length <= 30 * 1024);
    assert.ok(init.keepalive);
  }
});

test('what does not fit into 64 KiB on hide is kept until it is answered', async () => {
  const { add, sender, store } = open();
  answer = () => new Promise(() => {});
  add(0, 12, 8000);
  sender.flushOnHide();
  const outliving = requests.filter(({ init }) => init.keepalive);
  const bytes = outliving.reduce((sum, { init }) => sum + new TextEncoder().encode(init.body).length, 0);
  assert.ok(bytes <= 65_536, `${bytes}`);
  assert.ok(outliving.length < requests.length);
  assert.equal(JSON.parse(Object.values(store)[0])[1].length, 12);
});

test('each attempt is stamped with its own time', async () => {
  const { add } = open();
  answer = () => new Response(null, { status: 503, headers: { 'Retry-After': '10' } });
  add(0, 1);
  await pass(10_100);
  assert.ok(requests[1].body.sentAt - requests[0].body.sentAt >= 9900);
});
