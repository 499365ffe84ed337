/** What a page asks of the tracker: calls, options, and that nothing of it harms the page. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pass } from './harness.js';
import { page, QUIET_MS, run, server, visit } from './visitor.js';

test('calls before the script has loaded are sent', async () => {
  server.pages.set(
    '/early',
    `<title>Early</title>
     <script>window.glimpse = window.glimpse || function () { (glimpse.q = glimpse.q || []).push(arguments) };
       glimpse('track', 'early', { n: 1 })</script>
     <script defer src="/sdk/glimpse.js" data-project="shop"></script>`,
  );
  await visit('/early');
  const [early] = await server.expect('early');
  assert.deepEqual(early.properties, { n: 1 });
  await run("glimpse('track', 'late')");
  await server.expect('late');
});

test('pages written for the first tracker find its name', async () => {
  await visit();
  assert.equal(await run('GlimpseTracker.projectId'), 'shop');
  await run("GlimpseTracker.track('old_style')");
  await server.expect('old_style');
});

test('a second init, or a second script, warns and does nothing', async () => {
  /** @type {string[]} */
  const lines = [];
  page.on('console', (message) => lines.push(message.text()));
  await visit();
  await run("glimpse.init({ project: 'other' })");
  await page.addScriptTag({ url: '/sdk/glimpse.js' });
  await run("glimpse.track('once')");
  await server.expect('once');
  await pass(QUIET_MS);
  assert.equal(server.named('once').length, 1);
  assert.equal(server.named('page_view').length, 1);
  assert.ok(lines.some((line) => line.includes('already running')));
});

test("storage 'none' keeps nothing on the device and sends no session id", async () => {
  server.pages.set(
    '/none',
    '<title>None</title><script defer src="/sdk/glimpse.js" data-project="shop" data-storage="none"></script>',
  );
  await visit('/none');
  assert.equal(await run('localStorage.length + sessionStorage.length + document.cookie.length'), 0);
  assert.equal(server.named('page_view')[0].sessionId, undefined);
});

test('what goes wrong in the tracker stays out of the page', async () => {
  /** @type {Error[]} */
  const errors = [];
  page.on('pageerror', (error) => errors.push(error));
  await visit();
  await run(
    "const ring = {}; ring.ring = ring; glimpse.track('ring', ring); glimpse.track(); glimpse.trackOnView('!')",
  );
  await run("glimpse.track('after')");
  await server.expect('after');
  assert.deepEqual(errors, []);
});

test('a device that opts out sends nothing more, also on the next page, until it opts in', async () => {
  await visit();
  await run('glimpse.optOut()');
  await page.goto(`${server.origin}/next`);
  await pass(QUIET_MS);
  assert.equal(server.named('page_view').length, 1);
  await run('glimpse.optOut(false)');
  await server.expect('page_view', 2);
});

test('beforeSend and cleanUrl have the last word', async () => {
  server.pages.set(
    '/hooks',
    '<title>Hooks</title><script src="/sdk/glimpse.js"></script><script src="/hooks.js"></script>',
  );
  server.pages.set(
    '/hooks.js',
    `glimpse.init({ project: 'shop', props: { plan: 'free' }, cleanUrl: (url) => url.replace(/user=[^&]*/, 'user=x'),
       beforeSend: (event) => event.event !== 'secret' && event })`,
  );
  await page.route('**/hooks.js', async (route) =>
    route.fulfill({ contentType: 'text/javascript', body: server.pages.get('/hooks.js') }),
  );
  await page.goto(`${server.origin}/hooks?user=anna`);
  const [view] = await server.expect('page_view');
  await run("glimpse.track('secret'); glimpse.track('public')");
  const [own] = await server.expect('public');
  assert.equal(server.named('secret').length, 0);
  assert.deepEqual(own.properties, { plan: 'free' });
  assert.ok(view.context.url.endsWith('?user=x'));
});

test('a page view by hand, traits and a flush go as they are called', async () => {
  await visit();
  await run("glimpse.page({ step: 'payment' }); glimpse.identify({ plan: 'free' }); glimpse.flush()");
  const [, view] = await server.expect('page_view', 2);
  const [told] = await server.expect('identify');
  assert.deepEqual([view.properties, told.traits], [{ step: 'payment' }, { plan: 'free' }]);
});

test('a page that breaks history after the load still counts, and leaves', async () => {
  await visit();
  await run("history.pushState = () => { throw new Error('mine') }; history.replaceState = null");
  await run("glimpse.track('unbroken'); location.href = '/next'");
  await server.expect('unbroken');
  await server.expect('page_leave');
  await server.expect('page_view', 2);
});

test('without the automatic events only what is called is sent, and told to who looks for faults', async () => {
  server.pages.set(
    '/quiet',
    '<script defer src="/sdk/glimpse.js" data-project="shop" data-auto="false" data-debug></script>',
  );
  /** @type {string[]} */
  const lines = [];
  page.on('console', (message) => lines.push(message.text()));
  await page.goto(`${server.origin}/quiet`);
  await pass(QUIET_MS);
  await run('glimpse.page()');
  await server.expect('page_view');
  await run("location.href = '/favicon.ico'").catch(() => {});
  await pass(QUIET_MS);
  assert.deepEqual(
    server.events.map(({ event }) => event),
    ['page_view'],
  );
  assert.ok(lines.some((line) => line.startsWith('[glimpse] page_view')));
});
