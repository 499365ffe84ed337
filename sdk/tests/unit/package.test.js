/** What is published, as a stranger gets it: packed, unpacked, imported in Node, bundled, and its types used. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WANTED = [
  'LICENSE',
  'README.md',
  'dist/glimpse-more.js',
  'dist/glimpse-pace.LICENSE.txt',
  'dist/glimpse-pace.js',
  'dist/glimpse.d.ts',
  'dist/glimpse.js',
  'dist/glimpse.mjs',
  'package.json',
];
/** @type {string} */
let folder;
/** @type {string[]} */
let packed;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'glimpse-sdk-'));
  const told = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [{ files, filename }] = Object.values(JSON.parse(told));
  packed = files.map((/** @type {{ path: string }} */ { path }) => path);
  mkdirSync(join(folder, 'node_modules/glimpse-sdk'), { recursive: true });
  const into = join(folder, 'node_modules/glimpse-sdk');
  execFileSync('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', into]);
});
after(() => rmSync(folder, { recursive: true }));

test('the package holds what was built, and nothing of the workshop', () => {
  for (const path of WANTED) assert.ok(packed.includes(path), path);
  assert.deepEqual(
    packed.filter((path) => !WANTED.includes(path) && !/^dist\/glimpse-\d/.test(path)),
    [],
  );
});

test('it can be imported where there is no browser', () => {
  const script =
    "import { init, track } from 'glimpse-sdk'; init({ project: 'x' }); track('y'); console.log('fine')";
  writeFileSync(join(folder, 'server.mjs'), script);
  assert.equal(execFileSync('node', ['server.mjs'], { cwd: folder, encoding: 'utf8' }), 'fine\n');
});

test('a bundler takes it, leaves out what is not used, and keeps what is fetched by need apart', async () => {
  writeFileSync(
    join(folder, 'app.js'),
    "import { init } from 'glimpse-sdk'; init({ project: 'x', endpoint: '/event' })",
  );
  writeFileSync(join(folder, 'idle.js'), "import 'glimpse-sdk'");
  const options = { absWorkingDir: folder, bundle: true, minify: true, splitting: true, write: false };
  const given = /** @type {const} */ ({ ...options, format: 'esm', outdir: 'out' });
  const { outputFiles = [] } = await build({ ...given, entryPoints: ['app.js'] });
  const sizes = Object.fromEntries(
    outputFiles.map(({ path, text }) => [path.replace(/.*\//, ''), text.length]),
  );
  assert.ok(sizes['app.js'] < 9000, JSON.stringify(sizes));
  assert.equal(
    Object.keys(sizes).filter((name) => /^glimpse-(more|pace)/.test(name)).length,
    2,
    JSON.stringify(sizes),
  );
  const idle = await build({ ...given, entryPoints: ['idle.js'], logLevel: 'silent' });
  assert.equal(idle.outputFiles?.[0].text.trim(), '');
});

test('its types say what an option is, and what it is not', () => {
  symlinkSync(join(ROOT, 'node_modules/typescript'), join(folder, 'node_modules/typescript'));
  writeFileSync(
    join(folder, 'typed.ts'),
    `import { init, trackOnView, type Options } from 'glimpse-sdk';
     const options: Options = { project: 'x', vitals: true, errors: true, storage: 'none' };
     init(options);
     const stop: () => void = trackOnView('#offer', 'seen', { n: 1 }, { dwell: 100 });
     stop();
     // @ts-expect-error
     init({ projekt: 'x' });`,
  );
  const flags = [
    '--strict',
    '--noEmit',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--lib',
    'es2022,dom',
    '--types',
    '',
  ];
  execFileSync('node', [join(ROOT, 'node_modules/typescript/bin/tsc'), ...flags, 'typed.ts'], {
    cwd: folder,
    stdio: 'pipe',
  });
});
