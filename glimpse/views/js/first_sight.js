// Draws the tiles in the place where the page will have them, and the other cards empty; until the page's tiles are there.
const sight = document.getElementById("sight")
const fill = (host, css, ...children) => {
  const sheet = make("style", "", css)
  host.attachShadow({mode: "open"}).append(sheet, ...children)
  return host
}
const CARDS = ["g-map", "g-timeline", "g-feed", "g-top g-top-pages", "g-top g-top-sources", "g-top g-top-countries", "g-here"]
const drawn = make("div")
const kpis = fill(make("div", "g-kpis"), sheets.kpis, drawn)
const grid = fill(make("div", "g-grid"), sheets.grid, kpis, ...CARDS.map((name) => make("div", name)))
fill(sight, sheets.page, make("div", "above"), grid)
render({model: {state: sight.textContent, on() {}}, el: drawn})
window.addEventListener("glimpse-tiles", () => sight.remove(), {once: true})
