// What moves on the map without the server: what has just come in sends out a ring.
// Only the overlay canvas is painted anew for it: the dots and rings lie there, the land doesn't.
const RING_MS = 1500
const FRAME_MS = 33
const MOST_RINGS = 120

const life = (rings._glimpse_life ??= {rings: [], is_moving: false})
const still = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches

const draw = (now) => {
  life.rings = life.rings.filter((ring) => now - ring.born < RING_MS)
  // A ring that is to start in a moment has no radius yet.
  const begun = life.rings.filter((ring) => now >= ring.born)
  const {data} = rings
  for (const key of ["x", "y", "size", "alpha"]) data[key] = new Array(begun.length)
  begun.forEach((ring, i) => {
    const t = (now - ring.born) / RING_MS
    const eased = 1 - (1 - t) ** 3
    data.x[i] = ring.x
    data.y[i] = ring.y
    data.size[i] = ring.from + 28 * eased
    data.alpha[i] = 0.95 * (1 - t) ** 1.6
  })
  rings.change.emit()
}

let drawn_at = 0
const move = (now) => {
  if (now - drawn_at >= FRAME_MS) {
    drawn_at = now
    draw(now)
  }
  life.is_moving = life.rings.length > 0
  if (life.is_moving) requestAnimationFrame(move)
}

const {x, y, px, now: server_now} = arrivals.data
if (server_now.length > 0) dots._glimpse_skew = Date.now() - server_now[0]
if (!still && !document.hidden) {
  for (let i = 0; i < x.length; i++) {
    // Not all at once: a lot of events that came together is a shimmer, not a flash.
    if (px[i] > 0) life.rings.push({x: x[i], y: y[i], from: px[i], born: performance.now() + (i % 8) * 40})
  }
  life.rings.splice(0, life.rings.length - MOST_RINGS)
  if (!life.is_moving && life.rings.length > 0) {
    life.is_moving = true
    requestAnimationFrame(move)
  }
}
dots.change.emit()
