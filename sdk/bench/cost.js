/** Prints what the tracker costs a page: main-thread time for each page view, its longest task, layouts that it forced. */

import { openBrowser, openCapture, pass } from '../tests/browser/harness.js';

const VIEWS = 20;
const MOST_MS = 5;
const CATEGORIES = [
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'disabled-by-default-devtools.timeline.stack',
];

const server = await openCapture();
server.pages.set(
  '/long',
  `<title>Long</title><script defer src="/sdk/glimpse.js" data-project="shop"></script>
   <style>p { float: left; width: 30% }</style>
   ${'<p data-glimpse-view="seen">Words <a href="#x">and a link</a>.</p>'.repeat(2000)}`,
);
const browser = await openBrowser();
const page = await browser.newPage();
await page.goto(`${server.origin}/long`); // compiled and cached, as for a visitor's second page
await server.expect('page_view');
await browser.startTracing(page, { categories: CATEGORIES });
await page.goto(`${server.origin}/long`);
await server.expect('page_view', 2);
for (let view = 1; view < VIEWS; view++) {
  // The page has just changed when the tracker looks, which is when a layout would be forced.
  await page.evaluate(`history.pushState({}, '', '/long?page=${view}'); document.title = 'Page ${view}';
    document.body.prepend(document.createElement('p')); scrollTo(0, ${view * 50}); glimpse.track('step'); 0`);
  await pass(120);
}
await page.goto(`${server.origin}/next`);
const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
await browser.close();
server.close();

/** @typedef {{ name: string, dur?: number, tdur?: number, args: any }} Entry */
const mine = (/** @type {unknown} */ part) => JSON.stringify(part ?? '').includes('/sdk/glimpse');
const tasks = traceEvents.filter(
  (/** @type {Entry} */ { name, args, dur }) =>
    dur && /^(EvaluateScript|FunctionCall|v8\.compile)$/.test(name) && mine(args.data?.url ?? args.fileName),
);
const forced = traceEvents.filter(
  (/** @type {Entry} */ { name, args }) =>
    /^(Layout|UpdateLayoutTree)$/.test(name) && mine(args.beginData?.stackTrace ?? args.data?.stackTrace),
);
/** The processor's time, as others may use the machine; the trace has it in microseconds. */
const ms = (/** @type {Entry} */ { tdur = 0 }) => tdur / 1000;
const totalMs = tasks.reduce((/** @type {number} */ sum, /** @type {Entry} */ task) => sum + ms(task), 0);
const longest = tasks.reduce((/** @type {Entry} */ a, /** @type {Entry} */ b) => (ms(b) > ms(a) ? b : a));
console.log(`main thread: ${(totalMs / VIEWS).toFixed(2)} ms for each of ${VIEWS} page views`);
console.log(
  `longest task: ${ms(longest).toFixed(2)} ms (${longest.name}); at most ${MOST_MS} ms are allowed`,
);
console.log(`layouts forced: ${forced.length}`);
for (const { args } of forced)
  console.log(JSON.stringify(args.beginData?.stackTrace ?? args.data?.stackTrace));
if (forced.length || ms(longest) > MOST_MS) process.exitCode = 1;
