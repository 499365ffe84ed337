/** The README's table of options is what the types say, and what the code does. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (/** @type {string} */ path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const README = read('README.md');
const TABLE = README.split('## Options')[1].split('\n## ')[0];
const TYPES = read('src/types.d.ts').split('interface Options {')[1].split('\n}')[0];

/** By option; what has no value to compare is told in words. */
const told = new Map(
  [...TABLE.matchAll(/^\| `(\w+)` +\| (.+?) +\|/gm)].map(([, name, value]) => [name, value]),
);
const typed = new Map(
  [...TYPES.matchAll(/\/\*\* (.+?) \*\/\n +(\w+)\??:/g)].map(([, text, name]) => [
    name,
    /Default: `?'?(\w+)/.exec(text)?.[1],
  ]),
);
const code = new Map(
  [
    ...read('src/tracker.js')
      .split('DEFAULTS = {')[1]
      .split('}')[0]
      .matchAll(/(\w+): (\w+),/g),
  ].map(([, name, value]) => [name, value]),
);

test('the table has each option, and no other', () => {
  assert.ok(typed.size > 15);
  assert.deepEqual([...told.keys()].toSorted(), [...typed.keys()].toSorted());
});

test('table, types and code agree on every default', () => {
  for (const [name, value] of typed) {
    if (!value) continue;
    assert.equal(told.get(name), `\`${value}\``, name);
    // What is not in the code is off, and storage is told from 'none' alone.
    assert.equal(code.get(name) ?? (name === 'storage' ? 'local' : 'false'), value, name);
  }
  for (const name of code.keys()) assert.ok(typed.get(name), name);
});

test('the defaults of trackOnView are those of the code', () => {
  const { threshold, dwell, once } =
    /threshold = (?<threshold>[\d.]+), dwell = (?<dwell>\d+), once = (?<once>\w+)/.exec(
      read('src/events/onView.js'),
    )?.groups ?? {};
  const line = README.split('Options of `trackOnView`:')[1].split('\n\n')[0];
  for (const said of [`\`threshold\` (${threshold},`, `\`dwell\` (${dwell},`, `\`once\` (${once})`]) {
    assert.ok(line.includes(said), said);
  }
});
