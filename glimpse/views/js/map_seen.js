// Tells which part of the world is looked at, and how closely, once it has been so for a moment: see map_cells.py. And
// where its middle is, for the address: latitude, longitude, zoom; nothing while the whole world shows.
const SQUARE_PX = 18
const QUIET_MS = 120
const TILE_PX = 256, EARTH_M = world / (2 * Math.PI)
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
    const x = (x_range.start + x_range.end) / 2, y = (y_range.start + y_range.end) / 2, degrees = 180 / Math.PI
    const is_whole = figure._glimpse_home === [x_range.start, x_range.end, y_range.start, y_range.end].join()
    const numbers = [[Math.atan(Math.sinh(y / EARTH_M)) * degrees, 4], [x / EARTH_M * degrees, 4], [Math.log2(world / (TILE_PX * metres)), 2]]
    const spot = is_whole ? "" : numbers.map(([n, digits]) => Number(n.toFixed(digits))).join()
    const frames = (window.glimpse_frames ??= {}), spots = (window.glimpse_spots ??= {})
    if (frames[token] === frame && spots[token] === spot) return
    frames[token] = frame
    spots[token] = spot
    window.dispatchEvent(new CustomEvent("glimpse-frame", {detail: token}))
  }, QUIET_MS)
}
