/** What visitors do on a page: what they bring into view, click and send, and what fails for them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pass, waitFor } from './harness.js';
import { page, QUIET_MS, run, server, TWO_FRAMES, visit } from './visitor.js';

test('an element that comes into view sends one event', async () => {
  server.pages.set(
    '/long',
    `<script defer src="/sdk/glimpse.js" data-project="shop"></script><div style="height:3000px"></div>
     <p id="offer" style="height:200px">Offer</p>
     <p data-glimpse-view="promo_seen" data-glimpse-prop-slot="foot" style="height:200px">Promo</p>
     <p data-glimpse-view data-glimpse-prop-slot="end">The end</p>`,
  );
  await visit('/long');
  await run("glimpse.trackOnView('#offer', 'offer_seen', { n: 1 }, { dwell: 100 })");
  await pass(QUIET_MS);
  assert.equal(server.named('offer_seen').length + server.named('promo_seen').length, 0);
  await run("glimpse.trackOnView('#offer', 'offer_each_time', {}, { once: false })");
  await run('scrollTo(0, 9999)');
  const [nameless] = await server.expect('element_viewed');
  assert.deepEqual(nameless.properties, { slot: 'end' });
  await server.expect('offer_each_time');
  const [seen] = await server.expect('offer_seen');
  const [promo] = await server.expect('promo_seen');
  assert.deepEqual([seen.properties, promo.properties], [{ n: 1 }, { slot: 'foot' }]);
  await run(`scrollTo(0, 0); ${TWO_FRAMES}`);
  await run('scrollTo(0, 9999)');
  await server.expect('offer_each_time', 2);
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
  const acts = () => server.events.filter(({ event }) => /tagged|outbound|download|submit|click/.test(event));
  await waitFor(() => acts().length >= 6, 'all six');
  await pass(QUIET_MS);
  const clicks = acts().toSorted((a, b) => (a.id < b.id ? -1 : 1)); // as they were made
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

test('errors that nothing caught are told when asked for, with their message', async () => {
  server.pages.set(
    '/errors',
    `<title>Errors</title><script defer src="/sdk/glimpse.js" data-project="shop" data-errors></script>`,
  );
  await visit('/errors');
  await run("import('/sdk/glimpse-more.js').then(() => new Promise((ready) => setTimeout(ready)))"); // it listens then
  await run(
    "setTimeout(() => { throw new Error('out of kettles') }); Promise.reject(new Error('no answer')); 0",
  );
  await run("document.body.append(Object.assign(new Image(), { src: '/none.png?' })); 0");
  const errors = await server.expect('js_error', 2);
  await pass(QUIET_MS);
  assert.deepEqual(errors.map(({ properties }) => properties.message).toSorted(), [
    'Uncaught Error: out of kettles',
    'no answer',
  ]);
});

test('what is switched off is not sent, and what is tagged still is', async () => {
  server.pages.set(
    '/off',
    `<script defer src="/sdk/glimpse.js" data-project="shop"
       data-outbound="false" data-downloads="false" data-forms="false"></script>
     <script>addEventListener('click', (event) => event.target.closest('form') || event.preventDefault())</script>
     <a id="out" href="http://other.test/">1</a> <a id="file" href="/x.pdf">2</a>
     <form id="mail"><button>3</button></form>
     <script>mail.addEventListener('submit', (event) => event.preventDefault())</script>
     <button id="tagged" data-glimpse-event="tagged">4</button>`,
  );
  await visit('/off');
  for (const id of ['#out', '#file', '#mail button', '#tagged']) await page.click(id);
  await server.expect('tagged');
  await pass(QUIET_MS);
  const names = new Set(server.events.map(({ event }) => event));
  assert.deepEqual(names, new Set(['session_start', 'page_view', 'tagged']));
});
