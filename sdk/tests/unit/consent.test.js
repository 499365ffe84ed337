import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPT_OUT_KEY, whySilent } from '../../src/core/consent.js';

const DEFAULTS = { project: 'shop', respectGpc: true, localhost: true };

/** @param {object} wish What the browser says. @param {object} [options] @param {string} [hostname] @param {object} [store] */
function why(wish, options, hostname = 'shop.example', store = {}) {
  Object.defineProperty(globalThis, 'navigator', { value: wish, configurable: true });
  Object.defineProperty(globalThis, 'location', { value: { hostname }, configurable: true });
  return whySilent({ ...DEFAULTS, ...options }, store) || '';
}

test('a browser that says GPC is left alone unless the page says otherwise', () => {
  assert.equal(why({ globalPrivacyControl: true }), 'GPC');
  assert.equal(why({ globalPrivacyControl: true }, { respectGpc: false }), '');
});

test('a browser that says DNT is left alone where the page asks for it', () => {
  assert.equal(why({ doNotTrack: '1' }), '');
  assert.equal(why({ doNotTrack: '1' }, { respectDnt: true }), 'DNT');
  for (const doNotTrack of ['0', null, 'unspecified'])
    assert.equal(why({ doNotTrack }, { respectDnt: true }), '');
});

test('pages on this machine are left out where the page asks for it, and no others', () => {
  for (const hostname of ['localhost', '127.0.0.1', '[::1]']) {
    assert.equal(why({}, {}, hostname), '');
    assert.equal(why({}, { localhost: false }, hostname), 'localhost');
  }
  assert.equal(why({}, { localhost: false }, 'localhost.example'), '');
});

test('a device that has opted out stays so', () => {
  assert.equal(why({}, {}, undefined, { [OPT_OUT_KEY]: '1' }), 'opt-out');
});
