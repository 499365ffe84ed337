/** How soon events leave, in how many requests, and what each answer means for them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerWith, open, pass, range, requests, sent, settled } from './network.js';

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
  answerWith(() => new Promise(() => {}));
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
  answerWith(() => new Response(null, { status: 503 }));
  add(0, 3);
  await pass(50);
  assert.equal(requests.length, 1);
  assert.equal(JSON.parse(store['glimpse:shop:outbox:p1'])[1].length, 3, 'they are kept after the failure');
  answerWith(() => new Response());
  await pass(1100);
  assert.deepEqual(
    requests.map(({ events }) => events),
    [
      [0, 1, 2],
      [0, 1, 2],
    ],
  );
  assert.deepEqual(Object.keys(store), ['glimpse:shop:failed'], 'no event is kept after success');
});

test('Retry-After is obeyed', async () => {
  const { add } = open();
  answerWith(() => new Response(null, { status: 429, headers: { 'Retry-After': '30' } }));
  add(0, 1);
  await pass(50);
  answerWith(() => new Response());
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
  answerWith(() => Promise.reject(new TypeError('offline')));
  add(0, 60);
  await settled();
  const before = requests.length;
  await pass(15 * 60_000);
  assert.ok(requests.length - before <= 10, `${requests.length}`);
  answerWith(() => new Response());
  requests.length = 0;
  sender.wake();
  await pass(100);
  assert.deepEqual(
    sent().toSorted((a, b) => a - b),
    range(60),
  );
});

test('a batch that is too large is halved until it fits', async () => {
  const { add } = open();
  answerWith(({ events }) => new Response(null, { status: events.length > 6 ? 413 : 200 }));
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
  answerWith(({ events }) => new Response(null, { status: events.includes(2) ? 413 : 200 }));
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
  answerWith(() => new Response(null, { status: 400 }));
  add(0, 2);
  await pass(120_000);
  assert.equal(requests.length, 1);
  assert.deepEqual(store, {});
});

test('past 500 waiting events the oldest go, and are counted', async () => {
  const { add, sender } = open();
  answerWith(() => new Promise(() => {}));
  add(0, 1);
  await pass(50);
  answerWith(() => new Response(null, { status: 503 }));
  add(1, 20);
  await settled();
  add(21, 600);
  assert.equal(sender.takeLost(), 120);
  assert.equal(sender.takeLost(), undefined);
});

test('each attempt is stamped with its own time', async () => {
  const { add } = open();
  answerWith(() => new Response(null, { status: 503, headers: { 'Retry-After': '10' } }));
  add(0, 1);
  await pass(10_100);
  assert.ok(requests[1].body.sentAt - requests[0].body.sentAt >= 9900);
});

test('of more than 256 KiB the oldest go', async () => {
  const { add, sender } = open();
  answerWith(() => new Response(null, { status: 503 }));
  add(0, 1);
  await pass(50);
  add(1, 40, 8000);
  assert.equal(sender.takeLost(), 9);
});
