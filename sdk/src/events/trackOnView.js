/** Events for what comes into view. */

import { safely } from '../core/console.js';
import { readProps } from './clicks.js';

const TAG = 'data-glimpse-view';
// Enough steps to notice when half a screen is filled by an element far taller than it.
const STEPS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1];

/**
 * Call back when an element comes into view.
 *
 * @param {Element | string} target A selector is looked up again whenever the page changes.
 * @param {(element: Element) => void} seen
 * @param {import('../types.js').ViewOptions} [options]
 * @returns {() => void} Stops it.
 */
export function onView(target, seen, { threshold = 0.5, dwell = 0, once = true } = {}) {
  /** @type {Map<Element, ReturnType<typeof setTimeout> | undefined>} The watched, with the wait of those in view. */
  const waits = new Map();
  /** @type {MutationObserver | undefined} */
  let growth;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let scanning;

  /** @param {Element} element */
  const arrive = (element) => {
    const report = safely(() => {
      // The tab is in the background: that isn't looking. Wait another spell.
      if (document.hidden) return arrive(element);
      if (once) observer.unobserve(element);
      seen(element);
    });
    waits.set(element, setTimeout(report, dwell));
  };

  const observer = new IntersectionObserver(
    safely((entries) => {
      for (const { target: element, isIntersecting, intersectionRatio, intersectionRect } of entries) {
        const isSeen =
          isIntersecting &&
          (intersectionRatio >= threshold || intersectionRect.height >= threshold * innerHeight);
        const wait = waits.get(element);
        if (isSeen && !wait) arrive(element);
        if (!isSeen) {
          clearTimeout(wait);
          waits.set(element, undefined);
        }
      }
    }),
    { threshold: [...STEPS, threshold] },
  );

  /** @param {Element} element */
  const watch = (element) => {
    if (waits.has(element)) return;
    waits.set(element, undefined);
    observer.observe(element);
  };

  if (typeof target === 'string') {
    const scan = safely(() => {
      scanning = undefined;
      document.querySelectorAll(target).forEach(watch);
    });
    growth = new MutationObserver(() => {
      scanning ??= setTimeout(scan, 100);
    });
    growth.observe(document, { childList: true, subtree: true });
    scan();
  } else watch(target);

  return () => {
    observer.disconnect();
    growth?.disconnect();
    clearTimeout(scanning);
    for (const wait of waits.values()) clearTimeout(wait);
  };
}

/**
 * Watch the elements that say so themselves: `data-glimpse-view="event name"`.
 *
 * @param {import('../tracker.js').Core} core
 */
export function watchTagged({ emit, signal }) {
  signal.addEventListener(
    'abort',
    onView(`[${TAG}]`, (element) => emit(element.getAttribute(TAG) || 'element_viewed', readProps(element))),
  );
}
