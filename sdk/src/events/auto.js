/** What is sent without being asked: page views and presence here, clicks and views in their own files. */

import { safely } from '../core/console.js';
import { watchClicks } from './clicks.js';
import { measureEngagement } from './engagement.js';
import { watchRoutes } from './routes.js';
import { watchTagged } from './trackOnView.js';

const HEARTBEAT_MS = 15_000;
// A router sets the title some 10 ms after its push, and redirects within 50 ms: the page it ends on counts.
const SETTLE_MS = 60;

/** @param {import('../tracker.js').Core} core */
export function startAuto(core) {
  const { emit, on, signal } = core;
  const engagement = measureEngagement();
  /** @type {number | undefined} */
  let changedAt;
  let hasLeft = false;

  /** @param {string} name @param {number} [at] */
  const bid = (name, at) => emit(name, engagement.read(), at, core.view);

  /** @param {number} [at] */
  const show = (at) => {
    core.view = core.readView();
    engagement.reset();
    emit('page_view', {}, at);
  };

  const settle = safely(() => {
    const at = changedAt;
    changedAt = undefined;
    if (!at || signal.aborted || core.view?.key === core.readView().key) return;
    if (core.view) bid('page_leave', at);
    show(at);
  });

  const routeChanged = () => {
    if (!changedAt) setTimeout(settle, SETTLE_MS);
    changedAt ??= Date.now();
  };

  const visibilityChanged = () => {
    settle();
    if (hasLeft) return;
    if (document.hidden) return bid('page_hidden');
    engagement.tick();
    emit('page_visible');
  };

  const leave = () => {
    settle();
    engagement.look();
    bid('page_leave');
    hasLeft = true;
  };

  /** Come back from the back-forward cache. @param {PageTransitionEvent} event */
  const shown = ({ persisted }) => {
    if (!persisted) return;
    hasLeft = false;
    show();
  };

  const beat = () => {
    if (document.hidden) return;
    engagement.look();
    emit('heartbeat');
  };

  const start = () => {
    watchRoutes(routeChanged, core);
    watchClicks(core);
    watchTagged(core);
    on(document, 'visibilitychange', visibilityChanged);
    on(window, 'pagehide', leave);
    on(window, 'pageshow', shown);
    on(window, 'scroll', engagement.look);
    const heart = setInterval(beat, HEARTBEAT_MS);
    signal.addEventListener('abort', () => clearInterval(heart));
    routeChanged();
  };

  // A page that is rendered ahead may never be seen.
  if (/** @type {any} */ (document).prerendering) on(document, 'prerenderingchange', start);
  else start();
}
