import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from '../../src/core/attributes.js';

test('attributes become options of the right type', () => {
  assert.deepEqual(
    readOptions({
      project: 'shop',
      auto: 'false',
      hash: '',
      sessionTimeout: '600',
      storage: 'none',
      endpoint: 'https://stats.example/event',
    }),
    {
      project: 'shop',
      auto: false,
      hash: true,
      sessionTimeout: 600,
      storage: 'none',
      endpoint: 'https://stats.example/event',
    },
  );
});

test('a project that looks like a number stays text', () => {
  assert.equal(readOptions({ project: '007' }).project, '007');
});
