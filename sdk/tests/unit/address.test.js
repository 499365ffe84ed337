import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointBeside, readUtm, routeKey, withoutQuery } from '../../src/core/address.js';

test('path and query name a page, and a hash only when asked for', () => {
  const url = 'https://shop.example/list?page=2#top';
  assert.equal(routeKey(url), 'https://shop.example/list?page=2');
  assert.equal(routeKey(url, true), url);
  assert.notEqual(routeKey('https://shop.example/list?page=1'), routeKey(url));
});

test('a campaign is read from the query', () => {
  assert.deepEqual(readUtm('?utm_source=letter&utm_medium=e%2Dmail&x=1&utm_campaign=spring+sale'), {
    source: 'letter',
    medium: 'e-mail',
    campaign: 'spring sale',
  });
});

test('an address without a campaign has none', () => {
  assert.equal(readUtm('?page=2'), undefined);
  assert.equal(readUtm(''), undefined);
});

test('a link address loses query and hash', () => {
  assert.equal(withoutQuery('https://a.example/x?token=1#y'), 'https://a.example/x');
  assert.equal(withoutQuery('/x#y?z'), '/x');
});

test('events go beside the folder that the script came from', () => {
  const cases = {
    'https://stats.example/sdk/glimpse.js': 'https://stats.example/event',
    'https://shop.example/a/b/sdk/glimpse-0.1.0.js?v=2': 'https://shop.example/a/b/event',
    'http://127.0.0.1:5006/prefix/sdk/glimpse.mjs': 'http://127.0.0.1:5006/prefix/event',
    'https://shop.example/js/site.js': 'https://shop.example/event',
  };
  for (const [script, endpoint] of Object.entries(cases)) assert.equal(endpointBeside(script), endpoint);
});
