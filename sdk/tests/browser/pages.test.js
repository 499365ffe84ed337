/** Page views and how a page is read, looked at request by request; what the store makes of them is in `tests/e2e/test_tracker.py`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pass, waitFor } from './harness.js';
import { page, QUIET_MS, run, server, TWO_FRAMES, visit } from './visitor.js';

test('a load is one page view, with its session and context', async () => {
  await page.goto(`${server.origin}/start?utm_source=letter&utm_campaign=spring`);
  const [view] = await server.expect('page_view');
  await pass(QUIET_MS);
  assert.equal(server.named('page_view').length, 1);
  assert.equal(server.named('session_start').length, 1);
  assert.equal(view.context.path, '/start');
  assert.equal(view.context.title, '/start');
  assert.deepEqual(view.context.utm, { source: 'letter', campaign: 'spring' });
  assert.match(view.context.viewport, /^\d+x\d+$/);
  assert.ok(view.context.timezone && view.context.language && view.context.screen.width);
  assert.ok(view.context.connection.effectiveType);
  assert.ok(view.context.url.startsWith(`${server.origin}/start?utm`));
  assert.equal(view.sessionId, await run('glimpse.sessionId()'));
  assert.match(`${server.requests[0].type}`, /^text\/plain/);
  assert.deepEqual(new Set(server.requests.map(({ method }) => method)), new Set(['POST']), 'no preflight');
});

test('going back is one page view', async () => {
  await visit();
  await run("history.pushState({}, '', '/next')");
  await server.expect('page_view', 2);
  await run('history.back()');
  const views = await server.expect('page_view', 3);
  assert.equal(views[2].context.path, '/start');
  assert.equal(views[2].context.previousPath, '/next');
});

test('a view has the title that the router sets a little later, and the previous address as referrer', async () => {
  await visit();
  await run("history.pushState({}, '', '/next'); setTimeout(() => { document.title = 'Next' }, 10)");
  const [, view] = await server.expect('page_view', 2);
  assert.equal(view.context.title, 'Next');
  assert.equal(view.context.referrer, `${server.origin}/start`);
});

test('a session remembers the referrer that it began with', async () => {
  await page.goto(`${server.origin}/start`, { referer: 'https://from.example/list' });
  await server.expect('page_view');
  await run("history.pushState({}, '', '/next')");
  const [first, second] = await server.expect('page_view', 2);
  assert.deepEqual(
    [first.context.referrer, second.context.referrer],
    ['https://from.example/list', first.context.url],
  );
  assert.equal(second.context.entryReferrer, 'https://from.example/list');
});

test('how far a page was scrolled follows its growth', async () => {
  server.pages.set(
    '/growing',
    '<script defer src="/sdk/glimpse.js" data-project="shop"></script><p id="all" style="height:2000px">Words.',
  );
  await visit('/growing');
  await run(`scrollTo(0, 9999); ${TWO_FRAMES}`);
  await run(`all.style.height = '8000px'; scrollBy(0, 1); ${TWO_FRAMES}`);
  await run("location.href = '/next'");
  const [{ properties }] = await server.expect('page_leave');
  assert.ok(properties.scrollDepth > 15 && properties.scrollDepth < 35, `${properties.scrollDepth}`);
});

test('leaving by a link delivers what was tracked, and how long the page was read', async () => {
  await visit();
  await run("glimpse.track('last_words', { n: 1 }); location.href = '/next'");
  const [left] = await server.expect('page_leave');
  await server.expect('last_words');
  assert.equal(left.context.path, '/start');
  assert.ok(left.properties.engagedMs > 0 && left.properties.scrollDepth === 100);
  await server.expect('page_view', 2);
  assert.equal(server.named('page_hidden').length, 0, 'a page that has left is not hidden too');
  assert.equal(new Set(server.events.map(({ sessionId }) => sessionId)).size, 1);
  assert.equal(server.named('session_start').length, 1);
});

test('an idle hidden page says so, and a return too', async () => {
  await visit();
  const fake = (/** @type {boolean} */ hidden) =>
    run(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
         document.dispatchEvent(new Event('visibilitychange'))`);
  await fake(true);
  const [hidden] = await server.expect('page_hidden');
  assert.ok(hidden.properties.engagedMs >= 0);
  await fake(false);
  await server.expect('page_visible');
});

test('a visible page beats every fifteen seconds', async () => {
  await page.clock.install();
  await page.goto(`${server.origin}/start`);
  await page.clock.runFor(31_000);
  const beats = await server.expect('heartbeat', 2);
  assert.equal(beats.length, 2);
});

test('web vitals are one event a metric and page, sent as the page is hidden, in a file that is asked for', async () => {
  server.pages.set(
    '/vitals',
    '<title>Vitals</title><script defer src="/sdk/glimpse.js" data-project="shop" data-vitals></script><h1>A heading</h1>',
  );
  /** @type {string[]} */
  const fetched = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  await visit();
  assert.ok(!fetched.includes('/sdk/glimpse-pace.js'), 'not unless it is asked for');
  await visit('/vitals');
  await waitFor(() => fetched.includes('/sdk/glimpse-pace.js'), 'the part that measures');
  await pass(QUIET_MS);
  await page.click('h1');
  await pass(QUIET_MS);
  assert.equal(server.named('web_vital').length, 0);
  await run("location.href = '/next'");
  await waitFor(() => server.named('web_vital').length >= 4, 'the vitals');
  await pass(QUIET_MS);
  const metrics = server.named('web_vital').map(({ properties }) => properties.metric);
  assert.deepEqual(metrics.toSorted(), [...new Set(metrics)].toSorted(), 'each once');
  for (const metric of ['CLS', 'FCP', 'LCP', 'TTFB']) assert.ok(metrics.includes(metric), metric);
  for (const { properties, context, timestamp } of server.named('web_vital')) {
    assert.ok(properties.value >= 0 && properties.rating, JSON.stringify(properties));
    assert.equal(context.path, '/vitals');
    const leave = server.named('page_leave').find((event) => event.context.path === '/vitals');
    assert.ok(leave && timestamp <= leave.timestamp, 'what is older than the leave opens no page again');
  }
});
