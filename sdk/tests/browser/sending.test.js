/** How events leave: in few requests, again after a failure, and to another origin without a word before. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './harness.js';
import { context, page, run, server, visit } from './visitor.js';

test('fifty calls are at most three requests and lose none', async () => {
  await visit();
  const before = server.requests.length;
  await run("for (let n = 0; n < 50; n++) glimpse.track('many', { n })");
  const many = await server.expect('many', 50);
  assert.equal(new Set(many.map(({ properties }) => properties.n)).size, 50);
  assert.ok(server.requests.length - before <= 3);
});

test('events of a failing server come again when it is back, also from a page that is gone', async () => {
  await visit();
  server.answerWith(503);
  await run("glimpse.track('kept', { n: 1 })");
  await waitFor(() => server.requests.some(({ events }) => events[0].event === 'kept'), 'the first try');
  await waitFor(() => run("Object.keys(localStorage).some((key) => key.includes('outbox'))"), 'the outbox');
  await page.close();
  server.answerWith(200);
  const next = await context.newPage();
  await next.goto(`${server.origin}/next`);
  const [kept] = await server.expect('kept');
  assert.deepEqual(kept.properties, { n: 1 });
  await waitFor(
    async () => !(await next.evaluate("Object.keys(localStorage).some((key) => key.includes('outbox'))")),
    'an empty outbox',
  );
});

test('a page on another origin sends without a preflight or a cookie', async () => {
  await context.addCookies([{ name: 'login', value: 'secret', url: server.origin }]);
  const other = server.origin.replace('127.0.0.1', 'localhost');
  server.pages.set(
    '/cross',
    `<title>Cross</title><script defer src="${server.origin}/a/sdk/glimpse.js" data-project="shop"></script>`,
  );
  await page.goto(`${other}/cross`);
  await server.expect('page_view');
  await run("location.href = '/next'");
  await server.expect('page_leave');
  for (const { method, cookie } of server.requests) assert.deepEqual([method, cookie], ['POST', undefined]);
});

test('what had to go because too much waited is counted in the next event', async () => {
  await visit();
  server.answerWith(503);
  await run("glimpse.track('many'); 0");
  await waitFor(() => server.requests.some(({ events }) => events[0].event === 'many'), 'the first try');
  await run("for (let n = 1; n < 1200; n++) glimpse.track('many')");
  server.answerWith(200);
  await run("dispatchEvent(new Event('online'))"); // which ends the wait, however long
  await run("glimpse.track('last')");
  await server.expect('last');
  await waitFor(() => {
    const lost = server.events.reduce((sum, { context }) => sum + (context.lostEvents ?? 0), 0);
    return lost > 0 && lost + server.named('many').length === 1200;
  }, 'each either here or counted');
});

test('the console says once why a server ignores what it took, and why it refused', async () => {
  /** @type {string[]} */
  const lines = [];
  page.on('console', (message) => lines.push(message.text()));
  await visit();
  server.answerWith(200, 'unknown_project');
  for (const name of ['first', 'second']) {
    await run(`glimpse.track('${name}')`);
    await server.expect(name);
  }
  await waitFor(() => lines.some((line) => line.includes('unknown_project')), 'the reason');
  server.answerWith(400);
  await run("glimpse.track('third')");
  await waitFor(() => lines.some((line) => line.includes('refused 400')), 'the refusal');
  assert.equal(lines.filter((line) => line.includes('unknown_project')).length, 1);
});
