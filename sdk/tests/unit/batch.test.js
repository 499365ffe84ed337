import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../src/core/json.js';
import { bytesOf, envelope, takeBatch } from '../../src/transport/batch.js';

test('bytes are counted as UTF-8, not as characters', () => {
  assert.equal(bytesOf(['é€😀']), 2 + 3 + 4);
});

test('chunks stay below the limit by bytes and lose nothing', () => {
  const events = Array.from({ length: 200 }, (_, index) =>
    JSON.stringify({ index, text: '漢字'.repeat(40) }),
  );
  const queue = [...events];
  const chunks = [];
  while (queue.length) chunks.push(takeBatch(queue, 500, 2048));
  assert.ok(chunks.length > 20);
  for (const chunk of chunks) assert.ok(new TextEncoder().encode(chunk.join()).length <= 2048);
  assert.deepEqual(chunks.flat(), events);
});

test('an event larger than the limit goes alone', () => {
  const queue = ['a', 'x'.repeat(5000), 'b'];
  assert.deepEqual(takeBatch(queue, 20, 1000), ['a']);
  assert.equal(takeBatch(queue, 20, 1000)[0].length, 5000);
  assert.deepEqual(queue, ['b']);
});

test('a body is the envelope that the server asks for', () => {
  assert.deepEqual(JSON.parse(envelope(['{"event":"a"}', '{"event":"b"}'], 'shop', 1234, false)), {
    projectId: 'shop',
    sentAt: 1234,
    deferred: false,
    events: [{ event: 'a' }, { event: 'b' }],
  });
});

test('strings are cut to what the server takes, and never into half a character', () => {
  const { long, lone } = JSON.parse(encode({ long: `${'x'.repeat(4095)}😀`, lone: 'a\ud83d' }));
  assert.equal(long, `${'x'.repeat(4095)}\ufffd`);
  assert.equal(lone, 'a\ufffd');
});
