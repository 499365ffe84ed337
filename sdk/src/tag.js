/**
 * The tracker as a script tag: reads its options from the tag, and puts `glimpse` on the window.
 *
 * `glimpse.track('x')` and `glimpse('track', 'x')` are the same; the second form can be queued before this loads.
 */

import { readOptions } from './core/attributes.js';
import { safely, say } from './core/console.js';
import { createTracker } from './tracker.js';

/** @type {any} */
const page = window;
const queued = page.glimpse?.q || [];
const script = /** @type {HTMLScriptElement | null} */ (
  document.currentScript || document.querySelector('script[data-project]')
);

/**
 * From beside this script; where that was copied elsewhere, from the server that the events go to.
 *
 * @param {string} name @param {string} endpoint
 */
const fetchPart = async (name, endpoint) => {
  const base = script?.src.includes('/sdk/') ? script.src : new URL('sdk/', endpoint);
  return import(`${new URL(`glimpse-${name}.js`, base)}`);
};

/** @type {any} */
const glimpse = safely((/** @type {string} */ method, /** @type {any[]} */ ...args) => {
  if (glimpse[method]) return glimpse[method](...args);
  queued.push([method, ...args]);
});

/** @param {import('./types.js').Options} options */
glimpse.init = (options) => {
  if (page.glimpse.track) return say('already running');
  page.glimpse = Object.assign(glimpse, createTracker(options, fetchPart, script?.src));
  // The name that pages written for the first tracker know.
  page.GlimpseTracker ??= { projectId: options.project, ...glimpse };
  for (const args of queued) glimpse(.../** @type {[string]} */ (args));
};

page.glimpse ??= glimpse;
if (page.glimpse.q) page.glimpse = glimpse;
if (script?.dataset.project) glimpse.init(readOptions(script.dataset));
