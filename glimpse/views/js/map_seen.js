// Tells which part of the world is looked at, and how closely, once it has been so for a moment: see map_cells.py.
const SQUARE_PX = 18
const QUIET_MS = 120
const {x_range, y_range, inner_width} = figure
const limit = (n, low, high) => Math.max(low, Math.min(high, n))
clearTimeout(figure._glimpse_seen)
if (inner_width > 0) {
  figure._glimpse_seen = setTimeout(() => {
    const metres = (x_range.end - x_range.start) / figure.inner_width
    const level = limit(Math.round(Math.log2(world / (SQUARE_PX * metres))), ...levels)
    const tiles = Math.max(1, 2 ** level / tile)
    const at = (m) => limit(Math.floor((m + world / 2) / world * tiles), 0, tiles - 1)
    const frame = JSON.stringify([level, at(x_range.start), at(y_range.start), at(x_range.end), at(y_range.end)])
    const frames = (window.glimpse_frames ??= {})
    if (frames[token] === frame) return
    frames[token] = frame
    window.dispatchEvent(new CustomEvent("glimpse-frame", {detail: token}))
  }, QUIET_MS)
}
