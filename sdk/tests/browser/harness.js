/** A capture server and a browser: pages are served, events are kept for the test to read. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const DIST = new URL('../../dist/', import.meta.url);

/** @typedef {{ event: string, id: string, timestamp: number, sessionId?: string, traits?: any, properties: any, context: any }} Event */

/**
 * Call until the result is truthy, and return it.
 *
 * @template T
 * @param {() => T | Promise<T>} look
 * @param {string} what
 * @returns {Promise<NonNullable<T>>}
 */
export async function waitFor(look, what, ms = 20_000) {
  for (const end = Date.now() + ms; Date.now() < end; ) {
    const found = await look();
    if (found) return found;
    await pass(10);
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Let time pass, where the point is that nothing happens in it. @param {number} ms */
export const pass = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const TAG = '<script defer src="/sdk/glimpse.js" data-project="shop"></script>';

export async function openCapture() {
  /** @type {Event[]} */
  const events = [];
  /** @type {{ method: string, type?: string, cookie?: string, events: Event[] }[]} */
  const requests = [];
  /** @type {Map<string, string>} */
  const pages = new Map();
  let status = 200;
  let dropped = '';

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(`${request.url}`, 'http://x');
    response.setHeader('access-control-allow-origin', '*');
    if (pathname.endsWith('/event')) {
      let text = '';
      for await (const chunk of request) text += chunk;
      const batch = text ? JSON.parse(text) : { events: [] };
      const { method = '', headers } = request;
      requests.push({ method, type: headers['content-type'], cookie: headers.cookie, events: batch.events });
      if (status === 200) events.push(...batch.events);
      if (dropped) response.setHeader('x-glimpse-dropped', dropped);
      response.writeHead(status).end('{"success": true}');
    } else if (pathname.includes('/sdk/')) {
      const file = await readFile(new URL(pathname.split('/sdk/')[1], DIST));
      response.setHeader('content-type', 'text/javascript').end(file);
    } else if (pathname === '/favicon.ico') {
      response.writeHead(204).end();
    } else {
      const page = pages.get(pathname) ?? `<title>${pathname}</title>${TAG}<p>A page.</p>`;
      response.setHeader('content-type', 'text/html').end(page);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  const named = (/** @type {string} */ name) => events.filter(({ event }) => event === name);
  return {
    events,
    requests,
    pages,
    named,
    origin: `http://127.0.0.1:${port}`,
    /** @param {number} next @param {string} [reason] Why what is taken is not kept. */
    answerWith(next, reason = '') {
      [status, dropped] = [next, reason];
    },
    /** @param {string} name @param {number} [count] */
    async expect(name, count = 1) {
      await waitFor(() => named(name).length >= count, `${count} ${name} (there are ${named(name).length})`);
      return named(name);
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export const openBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
