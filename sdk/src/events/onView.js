/** Events for what comes into view: fetched by the pages that have use for it. */

import { safely } from '../core/console.js';
import { readProps } from './clicks.js';

const TAG = 'data-glimpse-view';

// Enough steps to notice when half a screen is filled by an element far taller than it.
const STEPS = [0, 0.1, 0.2, 0.3, 0.4, 0.5];

/**
 * Call back when an element comes into view.
 *
 * @param {Element | string} target A selector is looked up again whenever the page changes.
 * @param {(element: Element) => void} seen
 * @param {import('../types.js').ViewOptions} [options]
 * @returns {() => void} Stops it.
 */
export function onView(target, seen, { threshold = 0.5, dwell = 0, once = true } = {}) {
  /** @type {Map<Element, () => void>} What ends the watch of each element. */
  const stops = new Map();

  /** @param {Element} element */
  const watch = (element) => {
    if (stops.has(element)) return;
    /** @type {any} */
    let wait;
    const stop = () => {
      observer.disconnect();
      clearTimeout(wait);
    };
    const report = safely(() => {
      // The tab is in the background: that isn't looking. Wait another spell.
      if (document.hidden) wait = setTimeout(report, dwell);
      else {
        if (once) stop();
        seen(element);
      }
    });
    const observer = new IntersectionObserver(
      (entries) => {
        const entry = entries[entries.length - 1];
        const isSeen =
          entry.isIntersecting &&
          (entry.intersectionRatio >= threshold || entry.intersectionRect.height >= threshold * innerHeight);
        if (!isSeen) wait = clearTimeout(wait);
        else wait ??= setTimeout(report, dwell);
      },
      { threshold: [...STEPS, threshold] },
    );
    observer.observe(element);
    stops.set(element, stop);
  };

  if (typeof target !== 'string') {
    watch(target);
    return /** @type {() => void} */ (stops.get(target));
  }
  /** @type {any} */
  let scanning;
  const scan = safely(() => {
    scanning = 0;
    document.querySelectorAll(target).forEach(watch);
  });
  const growth = new MutationObserver(() => {
    scanning ||= setTimeout(scan, 100);
  });
  growth.observe(document, { childList: true, subtree: true });
  scan();
  return () => {
    growth.disconnect();
    clearTimeout(scanning);
    for (const stop of stops.values()) stop();
  };
}

/**
 * Watch the elements that say so themselves: `data-glimpse-view="event name"`.
 *
 * @param {import('../tracker.js').Core['emit']} emit
 * @returns {() => void} Stops it.
 */
export const watchTagged = (emit) =>
  onView(`[${TAG}]`, (element) => emit(element.getAttribute(TAG) || 'element_viewed', readProps(element)));
