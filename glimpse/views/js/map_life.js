// Unpacks a pulse of the server's: dots' numbers that have changed, and where something has just come in, which sends out
// a ring that moves without the server.
// Rings have a canvas of their own, above the dots': they move all the time, and neither land nor dots are painted for it.
const RING_MS = 1500
const FRAME_MS = 33
const MOST_RINGS = 120

const life = (dots._glimpse_life ??= {rings: [], is_moving: false, view: null, canvas: null, is_clear: true})
const still = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches

// Bokeh may have drawn the figure anew, and with it have let go of a canvas that is not its own.
const canvas = () => {
  if (life.canvas?.isConnected) return life.canvas
  life.view = cb_context.index.find_one(figure)
  const over = life.view?.canvas_view.overlays.el
  if (!over?.isConnected) return null
  life.canvas = over.cloneNode()
  life.canvas.classList.add("g-rings")
  life.canvas.style.pointerEvents = "none"
  over.after(life.canvas)
  return life.canvas
}

const draw = (now) => {
  life.rings = life.rings.filter((ring) => now - ring.born < RING_MS)
  // A ring that is to start in a moment has no radius yet.
  const begun = life.rings.filter((ring) => now >= ring.born)
  const on = canvas()
  if (!on || (life.is_clear && begun.length === 0)) return
  const {x_scale, y_scale} = life.view.frame
  const {width, height} = life.view.canvas_view.bbox
  const ratio = life.view.canvas_view.pixel_ratio
  if (on.width !== Math.round(width * ratio) || on.height !== Math.round(height * ratio)) {
    on.width = Math.round(width * ratio)
    on.height = Math.round(height * ratio)
  }
  const pen = on.getContext("2d")
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, width, height)
  pen.strokeStyle = mapper.palette.at(-1)
  pen.lineWidth = 1.6
  for (const ring of begun) {
    const t = (now - ring.born) / RING_MS
    pen.globalAlpha = 0.95 * (1 - t) ** 1.6
    pen.beginPath()
    pen.arc(x_scale.compute(ring.x), y_scale.compute(ring.y), (ring.from + 28 * (1 - (1 - t) ** 3)) / 2, 0, 2 * Math.PI)
    pen.stroke()
  }
  life.is_clear = begun.length === 0
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

// The server's clock, how many arrivals, how many changes; then x, y and diameter, then rows and each of their numbers.
const {packed} = pulse.data
if (packed.length === 0) return
const [server_now, arrived, changed] = packed
dots._glimpse_skew = Date.now() - server_now
const rows_at = 3 + 3 * arrived
// Dots are painted anew only where one looks otherwise: most of what comes changes what their cards say alone.
let is_seen = dots._glimpse_moved ?? false
dots._glimpse_moved = false
changing.forEach((name, nth) => {
  const column = dots.data[name]
  const from = rows_at + (1 + nth) * changed
  const is_drawn = name === "size" || name === "status"
  for (let i = 0; i < changed; i++) {
    const row = packed[rows_at + i]
    if (is_drawn && column[row] !== packed[from + i]) is_seen = true
    column[row] = packed[from + i]
  }
})
if (!still && !document.hidden) {
  for (let i = 0; i < arrived; i++) {
    const [x, y, px] = [0, 1, 2].map((nth) => packed[3 + nth * arrived + i])
    // Not all at once: a lot of events that came together is a shimmer, not a flash.
    if (px > 0) life.rings.push({x, y, from: px, born: performance.now() + (i % 8) * 40})
  }
  life.rings.splice(0, life.rings.length - MOST_RINGS)
  if (!life.is_moving && life.rings.length > 0) {
    life.is_moving = true
    requestAnimationFrame(move)
  }
}
if (is_seen) dots.change.emit()
