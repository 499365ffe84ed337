// Five tiles. Each is made once; afterwards only its texts and its line change.
const SVG = "http://www.w3.org/2000/svg"
const W = 120, H = 36


const shown = (name, value) =>
  value == null ? "–"
    : name === "Bounce rate" ? `${Math.round(value * 100)}%`
    : value >= 100000 ? `${number(value / 1000)}k`
    : number(value)

// Gaps (a minute without sessions has no bounce rate) are bridged from the last known value; before the first known one
// there is no line, and a single one is none.
const trace = (values, top) => {
  const first = values.findIndex((value) => value != null)
  if (first < 0) return []
  let last = 0
  const points = values.map((value, i) => {
    last = value ?? last
    return [i * W / (values.length - 1), H - 3 - (H - 7) * Math.min(1, last / top)]
  }).slice(first)
  return points.length > 1 ? points : []
}
const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")

// From when to when, where that is not back from now.
const ends = ({span, tz}) => new Intl.DateTimeFormat(undefined, {dateStyle: "short", timeStyle: "short", timeZone: tz}).formatRange(...span)

function tile(name, is_first) {
  const el = make("div", is_first ? "tile first" : "tile")
  const head = make("div", "head")
  const help = make("button", "help", "i")
  help.type = "button"
  const tip = make("div", "tip")
  tip.setAttribute("role", "tooltip")
  const change = make("span", "change num")
  const explain = (formula, of_change) => {
    help.setAttribute("aria-label", `How ${name} is counted: ${formula} ${of_change}`)
    tip.replaceChildren(make("p", "", formula), make("p", "", of_change))
    change.title = of_change
  }
  head.append(make("span", "name clip", name), help, change)
  const value = make("div", "value num", "–")
  value.dataset.metric = name
  const note = make("div", "note clip")
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", `0 0 ${W} ${H}`)
  svg.setAttribute("preserveAspectRatio", "none")
  svg.setAttribute("aria-hidden", "true")
  const area = document.createElementNS(SVG, "path")
  const line = document.createElementNS(SVG, "path")
  area.setAttribute("class", "area")
  line.setAttribute("class", "line")
  svg.append(area, line)
  el.append(head, value, note, svg, tip)
  el.setAttribute("role", "group")
  el.setAttribute("aria-label", name)
  // Escape puts away what the pointer or the keyboard has called up.
  help.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.classList.add("away") })
  for (const kind of ["blur", "pointerenter"]) help.addEventListener(kind, () => tip.classList.remove("away"))
  el.title = ""

  let to, told
  return {
    el,
    show(s) {
      write(note, s.span ? ends(s) : s.note.map((part) => typeof part === "number" ? number(part) : part).join(""))
      if (s.formula !== told) explain(told = s.formula, s.of_change)
      write(change, s.change ? changed(...s.change) : "")
      const known = s.line.filter((v) => v != null)
      const top = name === "Bounce rate" ? 1 : Math.max(1, ...known) * 1.08
      const points = trace(s.line, top)
      const d = path(points)
      el.dataset.line = String(points.length > 0)
      if (line.getAttribute("d") !== d) {
        line.setAttribute("d", d)
        area.setAttribute("d", d && `${d}L${W} ${H}L${points[0][0].toFixed(1)} ${H}Z`)
      }
      if (s.value === to) return
      to = s.value
      value.textContent = shown(name, to)
    },
  }
}

export function render({model, el}) {
  const grid = make("div", "grid")
  el.append(grid)
  const tiles = new Map()
  const show = () => {
    const all = model.state ? JSON.parse(model.state) : []
    for (const [name, one] of tiles) {
      if (all.some((s) => s.name === name)) continue
      one.el.remove()
      tiles.delete(name)
    }
    for (const [at, s] of all.entries()) {
      if (!tiles.has(s.name)) {
        const one = tile(s.name, at === 0)
        tiles.set(s.name, one)
        grid.insertBefore(one.el, grid.children[at] ?? null)
      }
      tiles.get(s.name).show(s)
    }
  }
  show()
  model.on("state", show)
  window.dispatchEvent(new Event("glimpse-tiles"))  // first_sight.js: what stood here until now may go
}
