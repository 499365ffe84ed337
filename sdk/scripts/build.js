/** Builds `dist/` and fails when the tracker outgrows its budget. */

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

// The aim is 4096.
const CORE_LIMIT_BYTES = 4500;
// Names that only our own objects have, so that no browser's or page's property is renamed.
const OWN_NAMES =
  /^(peek|touch|wake|resume|takeLost|discard|flushOnHide|tick|look|reset|readView|emit|sender|options|on)$/;

const root = new URL('..', import.meta.url);
const dist = new URL('dist/', root);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));

/**
 * Bundle with esbuild, then let terser take out what is left over.
 *
 * @param {import('esbuild').BuildOptions} own
 * @returns {Promise<string>}
 */
async function bundle(own) {
  const { outputFiles = [] } = await build({
    absWorkingDir: fileURLToPath(root),
    bundle: true,
    target: ['es2022', 'chrome94', 'firefox93', 'safari16'],
    charset: 'utf8',
    mangleProps: OWN_NAMES,
    write: false,
    ...own,
  });
  const { code = '' } = await minify(outputFiles[0].text, {
    ecma: 2020,
    module: own.format === 'esm',
    toplevel: true,
    compress: {
      passes: 4,
      inline: 1,
      conditionals: false,
      unsafe_arrows: true,
      unsafe_methods: true,
      pure_getters: true,
      keep_fargs: false,
    },
    format: { preamble: `/* Glimpse ${version} */` },
  });
  return code;
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist);

// The tag knows its own address, so it has no use for the module's.
const tag = await bundle({
  entryPoints: ['src/tag.js'],
  format: 'iife',
  define: { 'import.meta.url': '""' },
});
const module = await bundle({ entryPoints: ['src/index.js'], format: 'esm' });
await writeFile(new URL('glimpse.js', dist), tag);
await writeFile(new URL(`glimpse-${version}.js`, dist), tag);
await writeFile(new URL('glimpse.mjs', dist), module);
await copyFile(new URL('src/types.d.ts', root), new URL('glimpse.d.ts', dist));

for (const [name, code] of Object.entries({ 'glimpse.js': tag, 'glimpse.mjs': module })) {
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`${name}: ${code.length} bytes, ${bytes} gzipped (limit ${CORE_LIMIT_BYTES})`);
  if (bytes > CORE_LIMIT_BYTES) {
    console.error(`${name} is over its budget.`);
    process.exitCode = 1;
  }
}
