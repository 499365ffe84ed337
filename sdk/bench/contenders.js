/** The trackers that are measured, each set up as its documents say, with page views by itself. */

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { minify } from 'terser';

// On npm it is the whole product; its script is one file of that.
const UMAMI = '2.10.0';

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} code What a page loads.
 * @property {RegExp} view Matches a page view in what is sent.
 * @property {number} waitMs The longest that it lets events wait.
 */

const SETUPS = [
  {
    name: 'plausible',
    view: /"n":"pageview"/g,
    waitMs: 800,
    source: `import { init, track } from '@plausible-analytics/tracker';
      init({ domain: 'shop', endpoint: '/sent', captureOnLocalhost: true, logging: false });
      window.probe = (name) => track(name, {});`,
  },
  {
    name: 'openpanel',
    view: /"screen_view"/g,
    waitMs: 1500,
    source: `import { OpenPanel } from '@openpanel/web';
      const op = new OpenPanel({ apiUrl: location.origin + '/sent', clientId: 'x', trackScreenViews: true });
      window.probe = (name) => op.track(name);`,
  },
  {
    name: 'posthog',
    view: /"\$pageview"/g,
    waitMs: 4000,
    source: `import posthog from 'posthog-js';
      posthog.init('phc_x', { api_host: location.origin + '/sent', capture_pageview: 'history_change',
        disable_compression: true, autocapture: false, disable_session_recording: true, advanced_disable_flags: true,
        opt_out_useragent_filter: true });
      window.probe = (name) => posthog.capture(name);`,
  },
];

/** Take Umami's script out of its package, and minify it as its own build does. */
async function umami() {
  const folder = await mkdtemp(join(tmpdir(), 'umami-'));
  execFileSync('npm', ['pack', `umami@${UMAMI}`, '--silent', '--pack-destination', folder]);
  const packed = join(folder, `umami-${UMAMI}.tgz`);
  const source = execFileSync('tar', ['-xzOf', packed, 'package/src/tracker/index.js'], { encoding: 'utf8' });
  await rm(folder, { recursive: true });
  const { code = '' } = await minify(source, { compress: { evaluate: false } });
  return code;
}

/** @returns {Promise<Contender[]>} */
export async function contenders() {
  const found = [
    {
      name: 'glimpse',
      code: await readFile(new URL('../dist/glimpse.js', import.meta.url), 'utf8'),
      view: /"event":"page_view"/g,
      waitMs: 800,
    },
    // What has a name is an event of the page's own.
    { name: 'umami', code: await umami(), view: /^(?!.*"name":).*"type":"event"/gm, waitMs: 800 },
  ];
  for (const { source, ...rest } of SETUPS) {
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
      bundle: true,
      minify: true,
      write: false,
      logLevel: 'silent',
    });
    found.push({ ...rest, code: outputFiles[0].text });
  }
  return found;
}
