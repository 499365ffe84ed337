// A Web Vital over time: a line of its 75th percentile over three bands. Which band a point is in is told by a word and
// a shape too, not by colour alone.
const LEFT = 52, RIGHT = 66, TOP = 10, BOTTOM = 24
const BANDS = {good: "● Good", middling: "▲ Middling", poor: "■ Poor"}
const LENGTHS = {minute: 6e4, hour: 36e5, day: 864e5, week: 7 * 864e5, month: 31 * 864e5}

export function render({model, el}) {
  const card = make("section", "card")
  card.setAttribute("aria-label", "Web vitals over time")
  const head = make("div", "head")
  const panel = make("div", "panel")
  const tabs = tab_list(panel, (key) => {
    metric = key
    model.wanted = JSON.stringify({metric: key, n: Date.now() + ++count})
    show()
  })
  const chart = make("div", "chart")
  const tip = make("div", "tip")
  tip.hidden = true
  const empty = make("div", "empty")
  panel.append(chart, empty)
  card.append(head, tabs.list, panel)
  el.append(card)
  const other = as_table(card, chart, "Web vitals over time")
  head.append(make("h2", "", "Over time"), make("span", "hint", "75th percentile"), other.toggle)
  let s = null
  let metric = "", count = 0

  const mark = (band, x, y) => {
    if (band === "good") return shape("circle", {cx: x, cy: y, r: 3.2, class: `point ${band}`})
    const r = 4
    const d = band === "poor" ? `M${x - r + 0.5} ${y - r + 0.5}h${2 * r - 1}v${2 * r - 1}h${1 - 2 * r}Z` : `M${x} ${y - r}l${r} ${2 * r - 1}h${-2 * r}Z`
    return shape("path", {d, class: `point ${band}`})
  }
  const draw = () => {
    const points = s.points[metric], {good_to, poor_from, name} = s.metrics[metric]
    const width = Math.max(260, chart.clientWidth), H = Math.max(120, chart.clientHeight)
    const end = Math.max(s.until, s.since + 1)
    const before = s.before[metric].map(([t, ...more]) => [t + end - s.since, ...more])  // of the span before, over this one
    const top = Math.max(poor_from * 1.25, ...[...points, ...before].map((point) => point[1] * 1.08))
    const x = (t) => LEFT + (width - LEFT - RIGHT) * Math.min(1, Math.max(0, (t - s.since) / (end - s.since)))
    const y = (value) => H - BOTTOM - (H - BOTTOM - TOP) * value / top
    const latest = points.at(-1)
    const says = latest ? `last ${written(metric, latest[1])}, ${latest[4]}; ${points.length} intervals` : "nothing measured"
    const svg = shape("svg", {viewBox: `0 0 ${width} ${H}`, width, height: H, role: "img", "aria-label": `${name} over time: ${says}`})
    for (const [band, from, to] of [["good", 0, good_to], ["middling", good_to, poor_from], ["poor", poor_from, top]]) {
      svg.append(shape("rect", {x: LEFT, width: width - LEFT - RIGHT, y: y(to), height: y(from) - y(to), class: `zone ${band}`}))
      svg.append(shape("text", {x: width - RIGHT + 6, y: (y(from) + y(to)) / 2 + 4, class: `label word ${band}`}, band))
    }
    for (const value of [0, good_to, poor_from]) {
      svg.append(shape("line", {x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "grid"}))
      svg.append(shape("text", {x: LEFT - 8, y: y(value) + 4, class: "label", "text-anchor": "end"}, value ? written(metric, value) : "0"))
    }
    const most = Math.max(2, Math.floor((width - LEFT - RIGHT) / 120))
    const length = LENGTHS[s.unit], every = Math.max(1, Math.ceil((end - s.since) / length / most)) * length
    // Full hours and minutes; of days and longer the middle, wherever the zone has its midnight.
    for (let t = length < LENGTHS.day ? Math.ceil(s.since / every) * every : s.since + length / 2; t < end; t += every) {
      svg.append(shape("text", {x: x(t), y: H - 6, class: "label", "text-anchor": "middle"}, tick(s, t)))
    }
    const path = (all) => all.map((point, i) => {
      const is_next = i > 0 && point[0] - all[i - 1][0] <= LENGTHS[s.unit] * 1.1
      return `${is_next ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`
    }).join("")
    if (before.length) svg.append(shape("path", {d: path(before), class: "before"}))
    svg.append(shape("path", {d: path(points), class: "path"}), ...points.map((point) => mark(point[4], x(point[0]), y(point[1]))))
    const then = (t) => before.find(([other]) => Math.abs(other - t) < LENGTHS[s.unit] / 2)
    const cross = shape("line", {y1: TOP, y2: H - BOTTOM, class: "cross-line", visibility: "hidden"})
    svg.append(cross)
    svg.addEventListener("pointermove", (event) => {
      if (!points.length) return
      const point = points.reduce((best, one) => Math.abs(x(one[0]) - event.offsetX) < Math.abs(x(best[0]) - event.offsetX) ? one : best)
      cross.setAttribute("visibility", "visible")
      cross.setAttribute("x1", x(point[0])); cross.setAttribute("x2", x(point[0]))
      tip.hidden = false
      tip.replaceChildren(make("span", "when", moment(s, point[0])), make("b", "num", `${written(metric, point[1])}  ${BANDS[point[4]]}`), make("span", "when num", `${Math.round(point[3] * 100)}% good, of ${point[2].toLocaleString()}`))
      if (then(point[0])) tip.append(make("span", "when num", `before: ${written(metric, then(point[0])[1])}`))
      tip.style.left = `${Math.min(Math.max(x(point[0]), 90), width - 90)}px`
    })
    svg.addEventListener("pointerleave", () => { tip.hidden = true; cross.setAttribute("visibility", "hidden") })
    chart.replaceChildren(svg, tip)
    const beside = (t) => before.length ? [then(t) ? written(metric, then(t)[1]) : "–"] : []
    other.tell(() => [["Time", `${name}, 75th percentile`, "Band", "Good", "Measured", ...(before.length ? ["Span before"] : [])], points.map(([t, value, n, good, band]) => [moment(s, t), written(metric, value), band, `${Math.round(good * 100)}%`, n.toLocaleString(), ...beside(t)]).reverse()])
  }
  const show = () => {
    phased(card, model)
    if (model.state) {
      s = JSON.parse(model.state)
      metric ||= s.metric
    }
    const is_failed = model.phase === "failed"
    if (s) {
      tabs.show(Object.keys(s.metrics), metric, Object.fromEntries(Object.entries(s.metrics).map(([key, {name}]) => [key, name])))
      tip.hidden = true
      draw()
    }
    empty.textContent = is_failed ? model.problem : s && !s.points[metric].length && model.phase === "ready" ? "Not measured in this span" : ""
    empty.hidden = !empty.textContent
    chart.style.opacity = empty.textContent ? 0.25 : 1
  }
  new ResizeObserver(() => { if (s) draw() }).observe(chart)
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
