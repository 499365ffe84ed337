/** What becomes of events when the page may be going, or its next request may fail. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerWith, armed, open, pass, range, requests, sent, settled } from './network.js';

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
  answerWith(() => new Promise(() => {}));
  add(0, 12, 8000);
  sender.flushOnHide();
  const outliving = requests.filter(({ init }) => init.keepalive);
  const bytes = outliving.reduce((sum, { init }) => sum + new TextEncoder().encode(init.body).length, 0);
  assert.ok(bytes <= 65_536, `${bytes}`);
  assert.ok(outliving.length < requests.length);
  assert.equal(JSON.parse(store['glimpse:shop:outbox:p1'])[1].length, 12);
});

test('what waits is with the browser, in case that the page dies first, and called off when it is sent', async () => {
  const { add } = open();
  add(0, 3);
  await settled();
  const [{ body, signal }] = armed;
  assert.equal(armed.length, 1, 'events of one turn are one call');
  assert.deepEqual([body.deferred, body.events.length, signal.aborted], [true, 3, false]);
  await pass(50);
  assert.deepEqual(sent(), range(3));
  assert.ok(signal.aborted);
});

test('what is tracked on a hidden page leaves at once, in one request', async () => {
  const { add } = open();
  Object.assign(globalThis, { document: { hidden: true } });
  add(0, 3);
  await settled();
  assert.deepEqual(
    requests.map(({ events, init }) => [events, init.keepalive]),
    [[[0, 1, 2], true]],
  );
});

test('for an hour after a failure, and offline, what waits or is sent is kept until it is answered', async () => {
  const { add, sender, store } = open();
  answerWith(() => new Response(null, { status: 503 }));
  add(0, 1);
  await pass(50);
  answerWith(() => new Response());
  await pass(1100);
  const kept = () => Object.keys(store).filter((key) => key.includes('outbox')).length;
  assert.equal(kept(), 0);
  answerWith(() => new Promise(() => {}));
  add(1, 1);
  await settled();
  assert.equal(kept(), 1, 'the page may die before it is sent');
  sender.flushOnHide();
  assert.equal(kept(), 1);

  const calm = open();
  calm.add(2, 1);
  calm.sender.flushOnHide();
  assert.deepEqual(calm.store, {});
  Object.assign(navigator, { onLine: false });
  calm.add(3, 1);
  calm.sender.flushOnHide();
  assert.equal(Object.keys(calm.store).length, 1);
});

test('what is tracked while the server fails is kept for the next page', async () => {
  const { add, store } = open();
  answerWith(() => new Response(null, { status: 503 }));
  add(0, 1);
  await pass(50);
  add(1, 2);
  await settled();
  assert.equal(JSON.parse(store['glimpse:shop:outbox:p1'])[1].length, 3);
});
