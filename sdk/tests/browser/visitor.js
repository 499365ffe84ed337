/** A visitor for each test of the file that imports this: a page in a fresh profile, and a server of its own. */

import { after, afterEach, before, beforeEach } from 'node:test';
import { openBrowser, openCapture } from './harness.js';

/** @type {Awaited<ReturnType<typeof openCapture>>} */
export let server;
/** @type {import('playwright-core').BrowserContext} */
export let context;
/** @type {import('playwright-core').Page} */
export let page;
/** @type {import('playwright-core').Browser} */
let browser;

/** Long enough for a wrong page view to settle, leave and arrive. */
export const QUIET_MS = 250;

/** A script's end that is there when what a frame shows has been looked at: that comes right after the frame. */
export const TWO_FRAMES =
  'new Promise((seen) => requestAnimationFrame(() => setTimeout(requestAnimationFrame, 0, seen)))';

before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());
// A server for each test: what a page sends as it is closed must not reach the next one.
beforeEach(async () => {
  server = await openCapture();
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  server.close();
});

/** @param {string} [path] */
export async function visit(path = '/start') {
  await page.goto(server.origin + path);
  await server.expect('page_view');
}

/** @param {string} script */
export const run = (script) => page.evaluate(script);
