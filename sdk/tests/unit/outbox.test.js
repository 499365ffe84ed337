import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saveOutbox, takeOutboxes } from '../../src/transport/outbox.js';

test('a page takes up what several earlier pages left, and only once', () => {
  const store = {};
  saveOutbox(store, 'out:1', ['a', 'b']);
  saveOutbox(store, 'out:2', ['c']);
  assert.deepEqual(takeOutboxes(store, 'out:'), ['a', 'b', 'c']);
  assert.deepEqual(takeOutboxes(store, 'out:'), []);
  assert.deepEqual(store, {});
});

test('what is older than a day is forgotten', () => {
  const store = { 'out:1': JSON.stringify([Date.now() - 25 * 3600_000, ['a']]) };
  assert.deepEqual(takeOutboxes(store, 'out:'), []);
  assert.deepEqual(store, {});
});

test('rubbish in an outbox is thrown away and stops nothing', () => {
  const store = { 'out:1': '{', 'out:2': JSON.stringify([Date.now(), ['a']]) };
  assert.deepEqual(takeOutboxes(store, 'out:'), ['a']);
});

test('saving nothing leaves nothing on the device', () => {
  const store = { other: 'kept' };
  saveOutbox(store, 'out:1', ['a']);
  saveOutbox(store, 'out:1', []);
  assert.deepEqual(store, { other: 'kept' });
});
