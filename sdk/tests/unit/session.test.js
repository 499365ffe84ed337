import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSession } from '../../src/core/session.js';

const START = 1_700_000_000_000;
const entry = { entryReferrer: 'https://from.example/' };

/** @param {Record<string, string>} [store] */
function clockwork(store = {}) {
  const clock = { now: START };
  const open = () => createSession(store, 'session', 300_000, () => clock.now);
  return { clock, open, sessions: open(), store };
}

test('a sign of life within 300 seconds keeps the session', () => {
  const { clock, sessions } = clockwork();
  const { id } = sessions.touch(entry);
  for (let minute = 0; minute < 60; minute++) {
    clock.now += 299_999;
    assert.equal(sessions.touch({}).id, id);
  }
});

test('after 300 idle seconds a new session opens', () => {
  const { clock, sessions } = clockwork();
  const { id } = sessions.touch(entry);
  clock.now += 300_000;
  assert.notEqual(sessions.touch({}).id, id);
});

test('a session ends after 24 hours however busy it is', () => {
  const { clock, sessions } = clockwork();
  const { id } = sessions.touch(entry);
  while (clock.now < START + 24 * 3600_000 - 100_000) {
    clock.now += 100_000;
    assert.equal(sessions.touch({}).id, clock.now < START + 24 * 3600_000 ? id : undefined);
  }
  clock.now += 100_000;
  assert.notEqual(sessions.touch({}).id, id);
});

test('a last sign of life in the future opens a new session', () => {
  const { clock, sessions } = clockwork();
  const { id } = sessions.touch(entry);
  clock.now -= 1;
  assert.notEqual(sessions.touch({}).id, id);
});

test('a tab that was idle takes up the session that another tab kept alive', () => {
  const { clock, open, sessions } = clockwork();
  const other = open();
  const { id } = sessions.touch(entry);
  clock.now += 200_000;
  other.touch({});
  clock.now += 200_000;
  assert.equal(sessions.touch({}).id, id);
});

test('looking at the session gives no sign of life', () => {
  const { clock, sessions } = clockwork();
  const { id } = sessions.touch(entry);
  clock.now += 299_000;
  assert.equal(sessions.peek().id, id);
  clock.now += 2000;
  assert.notEqual(sessions.touch({}).id, id);
});

test('a session remembers where it came from', () => {
  const { clock, sessions } = clockwork();
  sessions.touch(entry);
  clock.now += 1000;
  assert.equal(
    sessions.touch({ entryReferrer: 'https://other.example/' }).entryReferrer,
    entry.entryReferrer,
  );
});

test('rubbish in the store opens a new session', () => {
  for (const rubbish of ['', '{', 'null', '7', '{"id":7}']) {
    const { sessions } = clockwork({ session: rubbish });
    assert.match(`${sessions.touch(entry).id}`, /^[0-9a-f-]{36}$/, rubbish);
  }
});

test('a full disk keeps the session in memory', () => {
  const store = new Proxy(/** @type {Record<string, string>} */ ({}), {
    set() {
      throw new DOMException('full', 'QuotaExceededError');
    },
  });
  const sessions = createSession(store, 'session', 300_000);
  assert.equal(sessions.touch(entry).id, sessions.touch({}).id);
});

test('without a key there is no id, and nothing is kept', () => {
  const store = {};
  const sessions = createSession(store, false, 300_000);
  assert.equal(/** @type {any} */ (sessions.touch(entry)).id, undefined);
  assert.deepEqual(store, {});
});
