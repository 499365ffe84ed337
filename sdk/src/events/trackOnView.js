/** Events for what comes into view: what every page has of it. The watch itself is fetched: see `onView.js`. */

/**
 * @param {import('../tracker.js').Core} core
 * @returns {typeof import('../types.js').trackOnView}
 */
export const createTrackOnView =
  ({ emit, load }) =>
  (target, event, properties, options) => {
    const watch = load('more', ({ onView }) => onView(target, () => emit(event, properties), options));
    return () => watch.then((stop) => stop?.());
  };
