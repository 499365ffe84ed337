import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uuid7 } from '../../src/core/uuid.js';

test('an id has the bits of a version 7 UUID', () => {
  for (let round = 0; round < 500; round++) {
    assert.match(uuid7(), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test('an id begins with its time', () => {
  const id = uuid7(0x01c123456789);
  assert.equal(id.slice(0, 13), '01c12345-6789');
});

test('ids made in one millisecond sort in the order of making, also past the counter', () => {
  const now = 0x01d123456799;
  const ids = Array.from({ length: 6000 }, () => uuid7(now));
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
});

test('a clock that steps back makes no smaller id', () => {
  const first = uuid7(0x01e200000000);
  assert.ok(uuid7(0x01e100000000) > first);
});
