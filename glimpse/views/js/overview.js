// The counts of a span, each with its change against the time before, and the chosen one as a line. All of it is drawn
// from numbers; times are shown in the zone that was asked for.
const TILES = [["sessions", "Sessions"], ["page_views", "Page views"], ["events", "Events"], ["bounce", "Bounce rate"]]
const LINES = ["sessions", "page_views", "events"]
const H = 190, LEFT = 44, RIGHT = 14, TOP = 32, BOTTOM = 24
const value_of = (totals, key) => key === "bounce" ? (totals.sessions ? totals.bounces / totals.sessions : null) : totals[key]
const written = (key, value) => value == null ? "–" : key === "bounce" ? `${Math.round(value * 100)}%` : value.toLocaleString()

export function render({model, el}) {
  const card = make("section", "card")
  card.setAttribute("aria-label", "Overview")
  const tiles = make("div", "tiles")
  const chart = make("div", "chart")
  const tip = make("div", "tip")
  tip.hidden = true
  const empty = make("div", "empty")
  const imported = make("p", "imported")
  imported.hidden = true
  const box = make("div", "box")
  box.append(chart)
  card.append(tiles, box, imported, empty)
  el.append(card)
  const other = as_table(card, chart, "Overview over time")
  box.prepend(other.toggle)
  let s = null
  let chosen = "", count = 0

  for (const [key, name] of TILES) {
    const one = make(key === "bounce" ? "div" : "button", "tile")
    if (key !== "bounce") {
      one.type = "button"
      one.addEventListener("click", () => {
        chosen = key
        model.wanted = JSON.stringify({line: key, n: Date.now() + ++count})
        show()
      })
    }
    one.dataset.key = key
    const value = make("b", "value num", "–")
    value.dataset.total = key
    one.append(make("span", "name", name), value, make("span", "change num"))
    tiles.append(one)
  }
  const fill_tiles = () => {
    for (const one of tiles.children) {
      const {key} = one.dataset
      const now = value_of(s.now.totals, key)
      const before = s.before && value_of(s.before.totals, key)
      one.children[1].textContent = written(key, now)
      one.setAttribute("aria-pressed", String(key === chosen))
      const change = one.children[2]
      change.hidden = !s.before
      change.title = s.before ? `Before: ${written(key, before)}` : ""
      if (!s.before) continue
      if (!before || now == null) change.textContent = "no comparison"
      else change.textContent = key === "bounce" ? changed(now - before, "points") : changed(now / before - 1, "%")
    }
  }
  const day = (text) => new Intl.DateTimeFormat(undefined, {day: "numeric", month: "short", year: "numeric", timeZone: "UTC"}).format(new Date(`${text}T00:00Z`))
  const named = () => s.imported.origins.map((origin) => origin[0].toUpperCase() + origin.slice(1)).join(", ")
  const tell_imported = () => {
    const some = s.imported
    imported.hidden = !some
    if (!some) return
    const counts = [["visitors", "visitors"], ["visits", "visits"], ["page_views", "page views"]].filter(([key]) => some[key] != null).map(([key, name]) => `${some[key].toLocaleString()} ${name}`)
    const days = some.first === some.last ? day(some.first) : `${day(some.first)} to ${day(some.last)}`
    const told = some.is_left_out ? "left out: they can't be filtered" : `${counts.join(", ")}; not in the numbers above`
    imported.replaceChildren(make("span", "key"), make("b", "", `Imported from ${named()}`), make("span", "", `${days}: ${told}`))
    imported.title = `Daily totals that ${named()} counted by its own rules. They are in no other number.`
  }
  const draw = () => {
    const column = LINES.indexOf(chosen) + 1
    const width = Math.max(260, chart.clientWidth)
    const steps = s.now.steps, before = s.before?.steps ?? []
    const n = Math.max(steps.length, 2)
    const top = nice(Math.max(1, ...steps.map((step) => step[column]), ...before.map((step) => step[column]), ...(s.imported?.steps ?? []).map((step) => step[column])))
    const x = (i) => LEFT + (width - LEFT - RIGHT) * i / (n - 1)
    const y = (value) => H - BOTTOM - (H - BOTTOM - TOP) * value / top
    const path = (all) => all.slice(0, n).map((step, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(step[column]).toFixed(1)}`).join("")
    const svg = shape("svg", {viewBox: `0 0 ${width} ${H}`, width, height: H, role: "img", "aria-label": summed(s, TILES.find(([key]) => key === chosen)[1], steps.map((step) => [step[0], step[column]]))})
    for (const part of top > 1 ? [0, 0.5, 1] : [0, 1]) {  // nothing is counted by halves
      svg.append(shape("line", {x1: LEFT, x2: width - RIGHT, y1: y(top * part), y2: y(top * part), class: "grid"}))
      svg.append(shape("text", {x: LEFT - 8, y: y(top * part) + 4, class: "label", "text-anchor": "end"}, (top * part).toLocaleString()))
    }
    const every = Math.max(1, Math.ceil(n / Math.max(2, Math.floor(width / 110))))
    for (let i = Math.floor(every / 2); i < steps.length; i += every) svg.append(shape("text", {x: x(i), y: H - 6, class: "label", "text-anchor": x(i) > width - 40 ? "end" : "middle"}, tick(s, steps[i][0])))
    const at = new Map(steps.map((step, i) => [step[0], i]))
    const theirs = (s.imported?.steps ?? []).map((step) => [at.get(step[0]), step[column]]).filter(([i]) => i != null)
    for (const [i, value] of theirs) svg.append(shape("line", {x1: x(i), x2: x(i), y1: y(0), y2: y(value), class: "theirs", "stroke-width": Math.max(2, Math.min(14, (width - LEFT - RIGHT) / n * 0.5)).toFixed(1)}))
    if (before.length) svg.append(shape("path", {d: path(before), class: "before"}))
    if (steps.length) {
      const line = steps.length > 1 ? path(steps) : `M${LEFT} ${y(steps[0][column])}L${width - RIGHT} ${y(steps[0][column])}`
      svg.append(shape("path", {d: `${line}L${steps.length > 1 ? x(steps.length - 1) : width - RIGHT} ${y(0)}L${LEFT} ${y(0)}Z`, class: "area"}), shape("path", {d: line, class: "line"}))
    }
    const cross = shape("line", {y1: TOP, y2: H - BOTTOM, class: "cross", visibility: "hidden"})
    const dot = shape("circle", {r: 4, class: "dot", visibility: "hidden"})
    svg.append(cross, dot)
    svg.addEventListener("pointermove", (event) => {
      const i = Math.max(0, Math.min(steps.length - 1, Math.round((event.offsetX - LEFT) / (width - LEFT - RIGHT) * (n - 1))))
      if (!steps[i]) return
      for (const mark of [cross, dot]) mark.setAttribute("visibility", "visible")
      cross.setAttribute("x1", x(i)); cross.setAttribute("x2", x(i))
      dot.setAttribute("cx", x(i)); dot.setAttribute("cy", y(steps[i][column]))
      tip.hidden = false
      tip.replaceChildren(make("b", "num", steps[i][column].toLocaleString()), make("span", "when", moment(s, steps[i][0])))
      const other = theirs.find(([place]) => place === i)
      if (other) tip.append(make("span", "was", `${named()}: ${other[1].toLocaleString()}`))
      if (before[i]) tip.append(make("span", "was", `before: ${before[i][column].toLocaleString()}`))
      tip.style.left = `${Math.min(Math.max(x(i), 70), width - 70)}px`
    })
    svg.addEventListener("pointerleave", () => {
      for (const mark of [cross, dot]) mark.setAttribute("visibility", "hidden")
      tip.hidden = true
    })
    chart.replaceChildren(svg, tip)
    other.tell(() => {
      const names = LINES.map((key) => TILES.find(([one]) => one === key)[1])
      const numbers = (step) => LINES.map((_, i) => step?.[i + 1].toLocaleString() ?? "–")
      const beside = before.length ? names.map((name) => `${name} before`) : []
      return [["Time", ...names, ...beside], steps.map((step, i) => [moment(s, step[0]), ...numbers(step), ...(beside.length ? numbers(before[i]) : [])]).reverse()]
    })
  }
  const show = () => {
    phased(card, model)
    if (model.state) s = JSON.parse(model.state)
    empty.textContent = model.phase === "failed" ? model.problem : ""
    empty.hidden = model.phase !== "failed"
    chart.style.opacity = model.phase === "failed" ? 0.15 : 1
    if (s == null) return
    chosen ||= s.line
    fill_tiles()
    tell_imported()
    draw()
  }
  new ResizeObserver(() => { if (s) draw() }).observe(chart)
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
