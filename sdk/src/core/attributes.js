/** Options written as attributes: `data-session-timeout="600"` is `sessionTimeout: 600`. */

import { parse } from './json.js';

/** @param {string} text */
const readValue = (text) => {
  try {
    return parse(text || 'true'); // a bare attribute says yes
  } catch {
    return text;
  }
};

/**
 * @param {Record<string, string | undefined>} dataset
 * @returns {import('../types.js').Options}
 */
export function readOptions(dataset) {
  /** @type {any} */
  const options = {};
  for (const name in dataset) options[name] = readValue(dataset[name] || '');
  options.project = dataset.project; // also one that is a number
  return options;
}
