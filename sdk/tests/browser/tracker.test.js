import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { openBrowser, openCapture, pass, waitFor } from './harness.js';

/** @type {Awaited<ReturnType<typeof openCapture>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').BrowserContext} */
let context;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  [server, browser] = await Promise.all([openCapture(), openBrowser()]);
});
after(async () => {
  await browser.close();
  server.close();
});
beforeEach(async () => {
  server.forget();
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(() => context.close());

/** @param {string} [path] */
async function visit(path = '/start') {
  await page.goto(server.origin + path);
  await server.expect('page_view');
}

/** @param {string} script */
const run = (script) => page.evaluate(script);

/** Long enough for a wrong page view to settle, leave and arrive. */
const QUIET_MS = 250;

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
  assert.equal(view.sessionId, await run('glimpse.sessionId()'));
  assert.match(`${server.requests[0].type}`, /^text\/plain/);
  assert.deepEqual(new Set(server.requests.map(({ method }) => method)), new Set(['POST']), 'no preflight');
});

const ROUTES = [
  ['pushState to a new path', "history.pushState({}, '', '/next')", 1],
  ['pushState to the same address', "history.pushState({}, '', location.href)", 0],
  ['a change of the query alone', "history.pushState({}, '', '?page=2')", 1],
  ['replaceState to a new address', "history.replaceState({}, '', '/other')", 1],
  ['replaceState to the same address', "history.replaceState({}, '', location.href)", 0],
  ['a change of the hash', "location.hash = 'part'", 0],
  [
    'two redirects in a row',
    "history.pushState({}, '', '/a'); setTimeout(() => history.replaceState({}, '', '/b'), 20)",
    1,
  ],
];
for (const [what, script, views] of ROUTES) {
  test(`${what} is ${views} page view`, async () => {
    await visit();
    await run(`${script}`);
    await pass(QUIET_MS);
    assert.equal(server.named('page_view').length, 1 + Number(views));
    assert.equal(server.named('page_leave').length, Number(views), 'each view but the last was left');
  });
}

test('going back is one page view', async () => {
  await visit();
  await run("history.pushState({}, '', '/next')");
  await server.expect('page_view', 2);
  await run('history.back()');
  const views = await server.expect('page_view', 3);
  assert.equal(views[2].context.path, '/start');
  assert.equal(views[2].context.previousPath, '/next');
});

test('return from the back-forward cache is one page view', async () => {
  await visit();
  await run('window.kept = true');
  await page.goto(`${server.origin}/next`);
  await server.expect('page_view', 2);
  await run('history.back()');
  await server.expect('page_view', 3);
  await pass(QUIET_MS);
  assert.equal(await run('window.kept'), true, 'the page came from the cache');
  assert.deepEqual(
    server.named('page_view').map(({ context }) => context.path),
    ['/start', '/next', '/start'],
  );
});

test('a view has the title that the router sets a little later, and the previous address as referrer', async () => {
  await visit();
  await run("history.pushState({}, '', '/next'); setTimeout(() => { document.title = 'Next' }, 10)");
  const [, view] = await server.expect('page_view', 2);
  assert.equal(view.context.title, 'Next');
  assert.equal(view.context.referrer, `${server.origin}/start`);
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

test('closing the tab delivers the leave', async () => {
  await visit();
  await page.close({ runBeforeUnload: true });
  await server.expect('page_leave');
});

test('fifty calls are at most three requests and lose none', async () => {
  await visit();
  const before = server.requests.length;
  await run("for (let n = 0; n < 50; n++) glimpse.track('many', { n })");
  const many = await server.expect('many', 50);
  assert.equal(new Set(many.map(({ properties }) => properties.n)).size, 50);
  assert.ok(server.requests.length - before <= 3);
});

test('an element that comes into view sends one event', async () => {
  server.pages.set(
    '/long',
    `<script defer src="/sdk/glimpse.js" data-project="shop"></script><div style="height:3000px"></div>
     <p id="offer" style="height:200px">Offer</p>
     <p data-glimpse-view="promo_seen" data-glimpse-prop-slot="foot" style="height:200px">Promo</p>`,
  );
  await visit('/long');
  await run("window.stop1 = glimpse.trackOnView('#offer', 'offer_seen', { n: 1 }, { dwell: 100 })");
  await pass(QUIET_MS);
  assert.equal(server.named('offer_seen').length + server.named('promo_seen').length, 0);
  await run('scrollTo(0, 9999)');
  const [seen] = await server.expect('offer_seen');
  const [promo] = await server.expect('promo_seen');
  assert.deepEqual([seen.properties, promo.properties], [{ n: 1 }, { slot: 'foot' }]);
  await run('scrollTo(0, 0)');
  await pass(100);
  await run('scrollTo(0, 9999)');
  await pass(QUIET_MS);
  assert.equal(server.named('offer_seen').length, 1);
});

test('an element that is added later, or is taller than the screen, is seen too', async () => {
  await visit();
  await run("glimpse.trackOnView('.late', 'late_seen')");
  await run(`document.body.insertAdjacentHTML('beforeend', '<p class="late" style="height:5000px">x</p>')`);
  await server.expect('late_seen');
});

test('views stop when they are told to', async () => {
  await visit();
  await run("glimpse.trackOnView('.late', 'late_seen')()");
  await run(`document.body.insertAdjacentHTML('beforeend', '<p class="late">x</p>')`);
  await pass(QUIET_MS);
  assert.equal(server.named('late_seen').length, 0);
});

test('a click is one event: tagged beats outbound beats download', async () => {
  server.pages.set(
    '/links',
    `<title>Links</title><script defer src="/sdk/glimpse.js" data-project="shop"></script>
     <script>addEventListener('click', (event) => event.target.closest?.('form') || event.preventDefault())</script>
     <a id="tagged" href="http://other.test/x.pdf" data-glimpse-event="tagged" data-glimpse-prop-kind="a"><b>1</b></a>
     <a id="out" href="http://other.test/x.pdf?token=secret">2</a>
     <a id="file" href="/x.pdf?token=secret">3</a>
     <a id="plain" href="/next">4</a>
     <svg width="50" height="20"><a id="svg" xlink:href="http://other.test/svg"><text y="15">5</text></a></svg>
     <div id="host"></div>
     <script>
       host.attachShadow({ mode: 'open' }).innerHTML = '<a id="inner" href="http://other.test/shadow">6</a>';
     </script>
     <form id="mail"><input name="id" value="me@private.example"><button>7</button></form>
     <script>mail.addEventListener('submit', (event) => event.preventDefault())</script>`,
  );
  await visit('/links');
  for (const id of ['#tagged b', '#out', '#file', '#plain', '#svg text', '#inner', '#mail button']) {
    await page.click(id);
  }
  const [form] = await server.expect('form_submit');
  await pass(QUIET_MS);
  const clicks = server.events.filter(({ event }) => /tagged|outbound|download|submit|click/.test(event));
  assert.deepEqual(
    clicks.map(({ event, properties }) => [event, properties.url ?? properties.kind ?? properties.id]),
    [
      ['tagged', 'a'],
      ['outbound_click', 'http://other.test/x.pdf'],
      ['file_download', `${server.origin}/x.pdf`],
      ['outbound_click', 'http://other.test/svg'],
      ['outbound_click', 'http://other.test/shadow'],
      ['form_submit', 'mail'],
    ],
  );
  assert.ok(!JSON.stringify(form).includes('private.example'));
});

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

test('denied storage stops nothing', async () => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('denied', 'SecurityError');
      },
    });
  });
  await visit();
  await run("glimpse.track('still_here')");
  const [event] = await server.expect('still_here');
  assert.equal(event.sessionId, server.named('page_view')[0].sessionId);
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

test('Global Privacy Control is honoured, and the console says so', async () => {
  /** @type {string[]} */
  const lines = [];
  page.on('console', (message) => lines.push(message.text()));
  await page.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }));
  await page.goto(`${server.origin}/start`);
  await run("glimpse.track('unwanted')");
  await pass(QUIET_MS);
  assert.equal(server.requests.length, 0);
  assert.ok(lines.some((line) => line.includes('GPC')));
});

test('events of a failing server come again when it is back, also from a page that is gone', async () => {
  await visit();
  server.answerWith(503);
  await run("glimpse.track('kept', { n: 1 })");
  await waitFor(() => server.requests.some(({ events }) => events[0].event === 'kept'), 'the first try');
  await waitFor(() => run("Object.keys(localStorage).some((key) => key.includes('outbox'))"), 'the outbox');
  await page.close();
  server.answerWith(200);
  page = await context.newPage();
  await page.goto(`${server.origin}/next`);
  const [kept] = await server.expect('kept');
  assert.deepEqual(kept.properties, { n: 1 });
  await waitFor(
    async () => !(await run("Object.keys(localStorage).some((key) => key.includes('outbox'))")),
    'an empty outbox',
  );
});

test('two tabs share a session', async () => {
  await visit();
  const other = await context.newPage();
  await other.goto(`${server.origin}/other`);
  const [first, second] = await server.expect('page_view', 2);
  assert.equal(first.sessionId, second.sessionId);
  assert.notEqual(first.context.pageId, second.context.pageId);
  assert.equal(server.named('session_start').length, 1);
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

test('a strict content security policy is enough', async () => {
  server.pages.set(
    '/strict',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; connect-src 'self'">
     <title>Strict</title><script defer src="/sdk/glimpse.js" data-project="shop"></script>`,
  );
  /** @type {string[]} */
  const errors = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await visit('/strict');
  assert.deepEqual(errors, []);
});

test('a page that breaks what the tracker needs after load does not stop it', async () => {
  await visit();
  await run('JSON.stringify = JSON.parse = window.fetch = Array.from = null');
  await run("glimpse.track('unbroken')");
  await server.expect('unbroken');
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

test('stop gives the page its history functions back and ends all sending', async () => {
  await page.addInitScript(() => Object.assign(window, { own: [history.pushState, history.replaceState] }));
  await visit();
  assert.equal(await run('history.pushState === own[0]'), false);
  await run('glimpse.stop()');
  assert.equal(await run('history.pushState === own[0] && history.replaceState === own[1]'), true);
  const before = server.events.length;
  await run("history.pushState({}, '', '/next'); glimpse.track('after')");
  await pass(QUIET_MS);
  assert.equal(server.events.length, before);
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
