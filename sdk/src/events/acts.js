/** What the visitor does on the page. Core only takes note; what it means is read by `clicks.js`, which is fetched. */

import { safely } from '../core/console.js';

/** @param {import('../tracker.js').Core} core */
export function watchActs({ emit, ends, load, on, options }) {
  const reading = load('more', ({ readActs, watchTagged }) => ({
    read: readActs(emit, options),
    stop: watchTagged(emit),
  }));
  ends.push(() => reading.then((acts) => acts?.stop()));
  for (const type of ['click', 'auxclick', 'submit']) {
    on(document, type, (event) => {
      const path = event.composedPath(); // empty when the event is over
      reading.then(safely((acts) => acts?.read(event, path)));
    });
  }
}
