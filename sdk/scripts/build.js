/** Builds `dist/` and fails when a file outgrows its budget. */

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

/** Most bytes of each file when it is compressed. */
const LIMITS = { 'glimpse.js': 4096, 'glimpse.mjs': 4096, 'glimpse-more.js': 1500, 'glimpse-pace.js': 3600 };
// Names that only the core's own objects have, so that no browser's or page's property is renamed. What is handed to
// the parts that are fetched is no such object: a cache may hold them in different versions.
const OWN_NAMES =
  /^(peek|touch|wake|resume|takeLost|discard|flushOnHide|tick|look|reset|readView|emit|sender|options|on|ends|load)$/;

const root = new URL('..', import.meta.url);
const dist = new URL('dist/', root);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));

/** Leaves what is imported by need in a file of its own, under the name that it has in `dist/`. */
const byNeed = {
  name: 'by need',
  /** @param {import('esbuild').PluginBuild} build */
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/(more|pace)\.js$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: path.replace('./', './glimpse-'), external: true } : undefined,
    ),
};

/**
 * Bundle with esbuild, then let terser take out what is left over.
 *
 * @param {import('esbuild').BuildOptions} own
 * @param {string} [preamble]
 * @returns {Promise<string>}
 */
async function bundle(own, preamble = `/* Glimpse ${version} */`) {
  const { outputFiles = [] } = await build({
    absWorkingDir: fileURLToPath(root),
    bundle: true,
    target: ['es2022', 'chrome94', 'firefox93', 'safari16'],
    charset: 'utf8',
    format: 'esm',
    plugins: [byNeed],
    write: false,
    ...own,
  });
  const { code = '' } = await minify(outputFiles[0].text, {
    ecma: 2020,
    module: own.format !== 'iife',
    toplevel: true,
    compress: {
      passes: 4,
      inline: 1,
      arrows: false,
      hoist_funs: true,
      loops: false,
      unsafe: true,
      unsafe_arrows: true,
      unsafe_methods: true,
      pure_getters: true,
      keep_fargs: false,
    },
    format: { preamble },
  });
  return code.replace('"use strict";', ''); // nothing here means anything else without it
}

// The tag knows its own address, so it has no use for the module's.
const tag = await bundle({
  entryPoints: ['src/tag.js'],
  format: 'iife',
  define: { 'import.meta.url': '""' },
  mangleProps: OWN_NAMES,
});
const files = {
  'glimpse.js': tag,
  [`glimpse-${version}.js`]: tag,
  'glimpse.mjs': await bundle({ entryPoints: ['src/index.js'], mangleProps: OWN_NAMES }),
  'glimpse-more.js': await bundle({ entryPoints: ['src/more.js'] }),
  'glimpse-pace.js': await bundle(
    { entryPoints: ['src/pace.js'] },
    `/* Glimpse ${version}; web-vitals is Google's, Apache-2.0: see glimpse-pace.LICENSE.txt */`,
  ),
};

await rm(dist, { recursive: true, force: true });
await mkdir(dist);
for (const [name, code] of Object.entries(files)) await writeFile(new URL(name, dist), code);
await copyFile(new URL('src/types.d.ts', root), new URL('glimpse.d.ts', dist));
const license = new URL('node_modules/web-vitals/LICENSE', root);
await copyFile(license, new URL('glimpse-pace.LICENSE.txt', dist));

for (const [name, limit] of Object.entries(LIMITS)) {
  const code = files[name];
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`${name}: ${code.length} bytes, ${bytes} gzipped (limit ${limit})`);
  if (bytes > limit) {
    console.error(`${name} is over its budget.`);
    process.exitCode = 1;
  }
}
