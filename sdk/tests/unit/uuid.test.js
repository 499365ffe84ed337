import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uuid7 } from '../../src/core/uuid.js';

test('an id has the bits of a version 7 UUID', () => {
  for (let round = 0; round < 500; round++) {
    assert.match(uuid7(), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test('an id begins with its time', () => {
  const id = uuid7(0x0f1234567890);
  assert.equal(id.slice(0, 13), '0f123456-7890');
});

test('ids made in one millisecond sort in the order of making, also past the counter', () => {
  const now = 0x0f1234567999;
  const ids = Array.from({ length: 6000 }, () => uuid7(now));
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
});

test('a clock that steps back makes no smaller id', () => {
  const first = uuid7(0x0f2000000000);
  assert.ok(uuid7(0x0f1000000000) > first);
});
