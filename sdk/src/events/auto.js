/** What is sent without being asked: page views and presence here, the visitor's acts in their own files. */

import { safely } from '../core/console.js';
import { watchActs } from './acts.js';
import { measureEngagement } from './engagement.js';
import { watchRoutes } from './routes.js';

const HEARTBEAT_MS = 15_000;
// A router sets the title some 10 ms after its push, and redirects within 50 ms: the page it ends on counts.
const SETTLE_MS = 60;

/** @param {import('../tracker.js').Core} core */
export function startAuto(core) {
  const { emit, ends, on } = core;
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
    if (!at || core.ends !== ends || core.view?.key === core.readView().key) return;
    if (core.view) bid('page_leave', at);
    show(at);
  });

  const routeChanged = () => {
    if (!changedAt) setTimeout(settle, SETTLE_MS);
    changedAt ??= Date.now();
  };

  const start = () => {
    watchRoutes(routeChanged, core);
    watchActs(core);
    on(document, 'visibilitychange', () => {
      settle();
      if (hasLeft) return;
      if (document.hidden) return bid('page_hidden');
      engagement.tick();
      emit('page_visible');
    });
    on(window, 'pagehide', () => {
      settle();
      bid('page_leave');
      hasLeft = true;
    });
    // Back from the back-forward cache.
    on(window, 'pageshow', ({ persisted }) => {
      if (!persisted) return;
      hasLeft = false;
      show();
    });
    on(window, 'scroll', engagement.look);
    const heart = setInterval(() => {
      if (document.hidden) return;
      engagement.look();
      emit('heartbeat');
    }, HEARTBEAT_MS);
    ends.push(() => clearInterval(heart));
    routeChanged();
  };

  // A page that is rendered ahead may never be seen.
  if (/** @type {any} */ (document).prerendering) on(document, 'prerenderingchange', start);
  else start();
}
