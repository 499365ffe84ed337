// Keeps the map in proportion: one metre east is as long as one metre north, whatever shape the card has.
// At first the whole width of the world shows; what a viewer has zoomed to stays in the middle after a resize.
const {inner_width, inner_height} = figure
if (!(inner_width > 0 && inner_height > 0)) return
const {x_range, y_range} = figure
// From Tierra del Fuego's latitude to Lapland's, where nearly everybody is, and from Alaska to New Zealand.
const home = {x: 0.5e6, y: 2.35e6, half_x: 19.1e6, half_y: 7.5e6}
const is_first = !figure._glimpse_framed
figure._glimpse_framed = true
if (is_first || action === "home") {
  const half_y = Math.max(home.half_y, home.half_x * inner_height / inner_width)
  const half_x = half_y * inner_width / inner_height
  x_range.setv({start: home.x - half_x, end: home.x + half_x})
  y_range.setv({start: home.y - half_y, end: home.y + half_y})
} else {
  const middle = (y_range.start + y_range.end) / 2
  const half = (x_range.end - x_range.start) * inner_height / inner_width / 2
  y_range.setv({start: middle - half, end: middle + half})
}
