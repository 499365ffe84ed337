import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, isWorthRetrying, retryAfterMs } from '../../src/transport/verdict.js';

test('silence, overload and server faults are worth another try', () => {
  for (const status of [0, 408, 429, 500, 502, 503, 504]) assert.ok(isWorthRetrying(status), `${status}`);
});

test('success and refusals are not', () => {
  for (const status of [200, 202, 204, 400, 401, 403, 404, 413, 422]) {
    assert.ok(!isWorthRetrying(status), `${status}`);
  }
});

test('waits are spread over a span that doubles up to a minute', () => {
  for (const [failures, spanMs] of [
    [1, 1000],
    [2, 2000],
    [5, 16_000],
    [7, 60_000],
    [30, 60_000],
  ]) {
    const waits = Array.from({ length: 2000 }, () => backoffMs(failures));
    assert.ok(Math.max(...waits) <= spanMs);
    assert.ok(Math.max(...waits) > spanMs * 0.95, `the span of failure ${failures} is used up to its end`);
    assert.ok(Math.min(...waits) < spanMs * 0.05, `the span of failure ${failures} is used from its start`);
  }
});

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(retryAfterMs('120', now), 120_000);
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', now), 30_000);
  assert.equal(retryAfterMs(null, now), 0);
  assert.equal(retryAfterMs('soon', now), 0);
});
