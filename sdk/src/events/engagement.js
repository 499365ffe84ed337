/** How long a page was looked at, and how far down. */

export function measureEngagement() {
  let engagedMs = 0;
  let lowestPx = 0;
  let heightPx = 1;
  /** @type {number | false | undefined} */
  let visibleSince;

  const measure = () => {
    heightPx = document.documentElement.scrollHeight || 1;
    lowestPx = Math.max(lowestPx, scrollY + innerHeight);
  };

  /** Look how far the page is scrolled; it may have grown. Right after a frame, as before it that costs a layout. */
  const look = () => requestAnimationFrame(() => setTimeout(measure));

  /** Count the time until now; to be called whenever the page is hidden or shown. */
  const tick = () => {
    const now = performance.now();
    if (visibleSince) engagedMs += now - visibleSince;
    visibleSince = !document.hidden && now;
  };

  return {
    tick,
    look,
    read() {
      tick();
      return {
        engagedMs: Math.round(engagedMs),
        scrollDepth: Math.min(100, Math.round((100 * lowestPx) / heightPx)),
      };
    },
    reset() {
      tick();
      engagedMs = lowestPx = 0;
      look();
    },
  };
}
