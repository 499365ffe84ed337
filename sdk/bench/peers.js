/** Prints how large each tracker is, and which rows of the behaviour table it gets right in one harness. */

import { createServer } from 'node:http';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { openBrowser, pass } from '../tests/browser/harness.js';
import { contenders } from './contenders.js';

/** What a page does, and how many page views that is. */
const STEPS = [
  ['load', '', 1],
  ['pushState to a new path', "history.pushState({}, '', '/next')", 1],
  ['pushState to the same URL', "history.pushState({}, '', location.href)", 0],
  ['query-only change', "history.pushState({}, '', '?page=2')", 1],
  ['replaceState to a new URL', "history.replaceState({}, '', '/other')", 1],
  ['replaceState to the same URL', "history.replaceState({}, '', location.href)", 0],
  ['history.back', 'history.back()', 1],
  ['hash change', "location.hash = 'part'", 0],
];

/** @param {string} page */
async function listen(page) {
  const state = { code: '', status: 200, sent: /** @type {string[]} */ ([]) };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.url === '/tracker.js') response.setHeader('content-type', 'text/javascript').end(state.code);
    else if (request.method === 'POST') {
      state.sent.push((body[0] === 0x1f ? gunzipSync(body) : body).toString());
      response.writeHead(state.status, { 'content-type': 'application/json' }).end('{}');
    } else if (request.url?.startsWith('/sent') || /\.(js|ico)/.test(`${request.url}`)) {
      response.writeHead(404).end();
    } else response.setHeader('content-type', 'text/html').end(page);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return { state, server, origin: `http://127.0.0.1:${server.address().port}` };
}

const TAG =
  '<!doctype html><title>A page</title><script src="/tracker.js" data-project="shop" data-website-id="shop"></script><p>Words.';
const { state, server, origin } = await listen(TAG);
const browser = await openBrowser();

/** @param {import('./contenders.js').Contender} contender @param {(page: import('playwright-core').Page) => Promise<any>} use */
async function onPage({ code }, use, script = '') {
  Object.assign(state, {
    code: `${code};window.probe ??= (name) => (window.glimpse ?? umami).track(name)`,
    status: 200,
    sent: [],
  });
  const context = await browser.newContext();
  const page = await context.newPage();
  if (script) await page.addInitScript(script);
  await page.goto(`${origin}/start`);
  const result = await use(page);
  await context.close();
  return result;
}

/** @param {import('./contenders.js').Contender} contender */
async function rows(contender) {
  const { view, waitMs } = contender;
  const count = (/** @type {RegExp} */ what) => state.sent.join('\n').match(what)?.length ?? 0;
  /** @type {Record<string, boolean>} */
  const right = {};
  await onPage(contender, async (page) => {
    let before = 0;
    for (const [what, script, views] of STEPS) {
      if (script) await page.evaluate(`${script}; 0`);
      await pass(waitMs);
      right[what] = count(view) - before === views;
      before = count(view);
    }
  });
  await onPage(contender, async (page) => {
    await pass(waitMs);
    await page.goto(`${origin}/next`);
    await pass(waitMs);
    const before = count(view);
    await page.evaluate('history.back(); 0');
    await pass(waitMs);
    right['return from bfcache'] = count(view) - before === 1;
  });
  await onPage(contender, async (page) => {
    await pass(waitMs);
    const before = state.sent.length;
    await page.evaluate("for (let n = 0; n < 50; n++) probe('many')");
    await pass(waitMs);
    right['50 calls in 3 requests'] = state.sent.length - before <= 3 && count(/"many"/g) >= 50;
  });
  await onPage(contender, async (page) => {
    await pass(waitMs);
    state.status = 503;
    await page.evaluate("probe('kept')");
    await pass(waitMs + 3000);
    Object.assign(state, { status: 200, sent: [] });
    await pass(waitMs + 6000);
    right['resend after a 503'] = count(/"kept"/g) === 1;
  });
  const gpc = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })";
  const silent = async () => {
    await pass(waitMs);
    right['silent on GPC'] = count(view) === 0;
  };
  await onPage(contender, silent, gpc);
  const denied = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no') } })";
  const still = async () => {
    await pass(waitMs);
    right['lives without storage'] = count(view) === 1;
  };
  await onPage(contender, still, denied);
  return right;
}

const all = await contenders();
const table = await all.reduce(
  async (done, contender) => ({ ...(await done), [contender.name]: await rows(contender) }),
  Promise.resolve(/** @type {Record<string, Record<string, boolean>>} */ ({})),
);
await browser.close();
server.close();

const line = (/** @type {unknown[]} */ ...[first, ...rest]) =>
  console.log(`${`${first}`.padEnd(30)}${rest.map((cell) => `${cell}`.padStart(12)).join('')}`);
line('', ...all.map(({ name }) => name));
line('gzip, bytes', ...all.map(({ code }) => gzipSync(code, { level: 9 }).length));
line('brotli, bytes', ...all.map(({ code }) => brotliCompressSync(code).length));
for (const what of Object.keys(table.glimpse))
  line(what, ...all.map(({ name }) => (table[name][what] ? 'yes' : 'no')));
line('rows right', ...all.map(({ name }) => Object.values(table[name]).filter(Boolean).length));
console.log("goatcounter's script is not on npm.");
