// Keeps the map in proportion: one metre east is as long as one metre north, whatever shape the card has.
// At first, and until a viewer moves it, the whole width of the world shows, unless an address says what to look at; what
// a viewer has zoomed to stays in the middle after a resize.
const {inner_width, inner_height} = figure
if (!(inner_width > 0 && inner_height > 0)) return
const {x_range, y_range} = figure
// From Tierra del Fuego's latitude to Lapland's, where nearly everybody is, and from Alaska to New Zealand.
const home = {x: 0.5e6, y: 2.35e6, half_x: 19.1e6, half_y: 7.5e6}
const NARROW_PX = 620, TOOLS_PX = 84  // on a phone buttons lie above Europe: see legend.css
const TILE_PX = 256, EARTH_M = world / (2 * Math.PI)  // zoom as maps have it: at 0 the world is one tile wide
const shown = () => [x_range.start, x_range.end, y_range.start, y_range.end].join()
if (action === "home" || !figure._glimpse_home || figure._glimpse_home === shown()) {
  const half_y = Math.max(home.half_y, home.half_x * inner_height / inner_width)
  const half_x = half_y * inner_width / inner_height
  const above = inner_width <= NARROW_PX ? Math.min(half_y - home.half_y, TOOLS_PX * half_y / inner_height) : 0
  for (const [range, middle, half] of [[x_range, home.x, half_x], [y_range, home.y + above, half_y]]) {
    const edge = Math.max(world / 2, Math.abs(middle) + half)  // further than that nobody moves; first, or it would cut
    range.bounds = [-edge, edge]
    range.setv({start: middle - half, end: middle + half})
  }
  figure._glimpse_home = shown()
  if (action === "keep" && spot.length && !figure._glimpse_begun) {
    const [lat, lon, zoom] = spot, metres = world / (TILE_PX * 2 ** zoom)
    const x = EARTH_M * lon * Math.PI / 180, y = EARTH_M * Math.asinh(Math.tan(lat * Math.PI / 180))
    for (const [range, middle, px] of [[x_range, x, inner_width], [y_range, y, inner_height]]) {
      range.setv({start: middle - metres * px / 2, end: middle + metres * px / 2})
    }
  }
  figure._glimpse_begun = true
} else {
  const middle = (y_range.start + y_range.end) / 2
  const half = (x_range.end - x_range.start) * inner_height / inner_width / 2
  y_range.setv({start: middle - half, end: middle + half})
}
