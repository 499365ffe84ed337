/** How fast the page was for its visitor, for `vitals: true`: one event a metric and page, sent when it is hidden. */

import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';

/** @typedef {{ metric: import('web-vitals').MetricType, at: number, view?: import('../core/event.js').View }} Measured */

/** @type {Map<string, Measured>} By the metric's id, of which a return from the back-forward cache makes a new one. */
const measured = new Map();
const sent = new Set();
let isWatching = false;

/**
 * @param {import('../tracker.js').Core['emit']} emit
 * @param {() => import('../core/event.js').View | undefined} readView
 */
export function watchVitals(emit, readView) {
  if (isWatching) return;
  isWatching = true;

  /** @param {import('web-vitals').MetricType} metric */
  const keep = (metric) =>
    // Its own time, which is before the page's leave: what comes later would open the page again.
    measured.set(metric.id, { metric, at: Date.now(), view: measured.get(metric.id)?.view ?? readView() });
  for (const onMetric of [onCLS, onFCP, onINP, onLCP, onTTFB]) onMetric(keep, { reportAllChanges: true });

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return;
    for (const [id, { metric, at, view }] of measured) {
      if (sent.has(id)) continue;
      sent.add(id);
      const { name, value, rating } = metric;
      emit('web_vital', { metric: name, value: Math.round(value * 1000) / 1000, rating }, at, view);
    }
  });
}
