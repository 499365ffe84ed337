import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as glimpse from '../../src/index.js';

test('the module keeps the types it declares', () => {
  /** @type {typeof import('../../src/types.js')} */
  const declared = glimpse;
  assert.deepEqual(
    Object.keys(declared).toSorted(),
    ['flush', 'identify', 'init', 'optOut', 'page', 'sessionId', 'stop', 'track', 'trackOnView'].toSorted(),
  );
});

test('nothing happens and nothing throws where there is no browser', async () => {
  glimpse.init({ project: 'shop' });
  glimpse.track('signup', { plan: 'free' });
  glimpse.trackOnView('#offer', 'offer_seen')();
  assert.equal(glimpse.sessionId(), undefined);
  await glimpse.flush();
});
