// Events over time as stacked bars: which events, told apart by what; a legend whose entries can be filtered by.
// Names and values are data: they only ever become text.
const LEFT = 56, RIGHT = 14, TOP = 10, BOTTOM = 24, OTHER = 6, MOST_NAMES = 10

export function render({model, el}) {
  let count = 0
  const card = make("section", "card")
  card.setAttribute("aria-label", "Events over time")
  const head = make("div", "head")
  const form = make("form", "form")
  const names = make("span", "names")
  const field = make("input", "field")
  field.type = "text"
  field.setAttribute("aria-label", "Add an event to show")
  field.setAttribute("list", "offered")
  field.autocomplete = "off"
  field.spellcheck = false
  const offered = make("datalist")
  offered.id = "offered"
  form.append(names, field, offered)
  const by = make("label", "by")
  const select = make("select", "select")
  select.setAttribute("aria-label", "Told apart by")
  by.append(make("span", "", "by"), select)
  head.append(make("h2", "", "Events over time"), form, by)
  const chart = make("div", "chart")
  const tip = make("div", "tip")
  tip.hidden = true
  const legend = make("div", "legend")
  const empty = make("div", "empty")
  card.append(head, chart, legend, empty)
  el.append(card)
  const other = as_table(card, chart, "Events over time")
  head.append(other.toggle)

  let s = {names: [], field: "name", fields: {}, offered: [], times: [], layers: []}
  let typed = []  // as it was asked for last
  const want = (all, by_field) => {
    typed = all
    model.wanted = JSON.stringify({names: all, field: by_field, n: Date.now() + ++count})
  }
  const pick = (layer) => { model.picked = JSON.stringify([s.field, layer.value, Date.now() + ++count]) }
  const called = (layer) => s.field === "country" && layer.value ? country_name(layer.value) : layer.shown
  const colour = (layer, i) => `var(--g-type-${layer.is_other ? OTHER : i})`

  const fill_names = () => {
    keep_focus(form, () => names.replaceChildren(...typed.map((name, at) => {
      const chip = make("span", "chip")
      const cross = button("cross", "×", () => want(typed.filter((_, i) => i !== at), s.field))
      cross.setAttribute("aria-label", `Show ${name} no more`)
      chip.append(make("span", "clip", name), cross)
      return chip
    })))
    field.placeholder = typed.length ? "and…" : "All events; type a name"
    field.hidden = typed.length >= MOST_NAMES
  }
  const fill_fields = () => {
    const wanted = JSON.stringify(s.fields)
    if (select.dataset.of !== wanted) {
      select.dataset.of = wanted
      select.replaceChildren(...Object.entries(s.fields).map(([key, name]) => {
        const option = make("option", "", name)
        option.value = key
        return option
      }))
    }
    if (![...select.options].some((option) => option.value === s.field)) {
      const option = make("option", "", s.field)
      option.value = s.field
      select.append(option)
    }
    select.value = s.field
    offered.replaceChildren(...s.offered.map((value) => {
      const option = make("option")
      option.value = value
      return option
    }))
  }
  const fill_legend = () => {
    const before = make("span", "entry")
    if (s.before) before.append(make("i", "dash"), make("span", "clip", "All in the span before"), make("b", "num", s.before.reduce((sum, n) => sum + n, 0).toLocaleString()))
    keep_focus(legend, () => legend.replaceChildren(...s.layers.map((layer, i) => {
      const one = layer.is_other ? make("span", "entry") : button("entry", null, () => pick(layer))
      const box = make("i", "swatch")
      box.style.background = colour(layer, i)
      one.append(box, make("span", "clip", called(layer)), make("b", "num", layer.counts.reduce((sum, n) => sum + n, 0).toLocaleString()))
      one.title = layer.is_other ? called(layer) : `Filter by ${called(layer)}`
      one.dataset.key = String(layer.value)
      return one
    }), ...(s.before ? [before] : [])))
  }
  const show_tip = (i, x, width) => {
    tip.hidden = false
    const lines = s.layers.map((layer, at) => [layer, at]).filter(([layer]) => layer.counts[i] > 0).reverse()
    const total = s.layers.reduce((sum, layer) => sum + layer.counts[i], 0)
    tip.replaceChildren(make("span", "when", moment(s, s.times[i])), make("b", "num", `${total.toLocaleString()} events`), ...(s.before ? [make("span", "when num", `before: ${(s.before[i] ?? 0).toLocaleString()}`)] : []), ...lines.map(([layer, at]) => {
      const line = make("span", "of")
      const box = make("i", "swatch")
      box.style.background = colour(layer, at)
      line.append(box, make("span", "clip", called(layer)), make("b", "num", layer.counts[i].toLocaleString()))
      return line
    }))
    tip.style.left = `${Math.min(Math.max(x, 130), Math.max(130, width - 130))}px`
  }
  const draw = () => {
    const n = s.times.length
    const width = Math.max(260, chart.clientWidth), H = Math.max(120, chart.clientHeight)
    const totals = s.times.map((_, i) => s.layers.reduce((sum, layer) => sum + layer.counts[i], 0))
    const then = s.before ?? []
    const top = nice(Math.max(1, ...totals, ...then))
    const step = (width - LEFT - RIGHT) / Math.max(1, n)
    const x = (i) => LEFT + step * (i + 0.5)
    const y = (value) => H - BOTTOM - (H - BOTTOM - TOP) * value / top
    const svg = shape("svg", {viewBox: `0 0 ${width} ${H}`, width, height: H, role: "img", "aria-label": `${totals.reduce((a, b) => a + b, 0).toLocaleString()} events. ${summed(s, "Events", s.times.map((t, i) => [t, totals[i]]))}`})
    for (const part of top > 1 ? [0, 0.5, 1] : [0, 1]) {  // nothing is counted by halves
      svg.append(shape("line", {x1: LEFT, x2: width - RIGHT, y1: y(top * part), y2: y(top * part), class: "grid"}))
      svg.append(shape("text", {x: LEFT - 8, y: y(top * part) + 4, class: "label", "text-anchor": "end"}, (top * part).toLocaleString()))
    }
    const gap = step > 6 ? 2 : step > 3 ? 1 : 0
    s.times.forEach((_, i) => {
      let below = 0
      s.layers.forEach((layer, at) => {
        const value = layer.counts[i]
        if (!value) return
        const bar = shape("rect", {x: (x(i) - step / 2 + gap / 2).toFixed(1), width: Math.max(0.8, step - gap).toFixed(1), y: y(below + value).toFixed(1), height: Math.max(0.5, y(below) - y(below + value)).toFixed(1), style: `fill:${colour(layer, at)}`})
        if (!layer.is_other) {
          bar.classList.add("picks")
          bar.addEventListener("click", () => pick(layer))
        }
        svg.append(bar)
        below += value
      })
    })
    if (then.length) svg.append(shape("path", {d: then.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join(""), class: "before"}))
    svg.append(...ticks(s, s.times, x, width, H - 6))
    svg.addEventListener("pointermove", (event) => {
      const i = Math.floor((event.offsetX - LEFT) / step)
      if (i >= 0 && i < n) show_tip(i, x(i), width)
    })
    svg.addEventListener("pointerleave", () => { tip.hidden = true })
    chart.replaceChildren(svg, tip)
    other.tell(() => [["Time", "All", ...(s.before ? ["All before"] : []), ...s.layers.map(called)], s.times.map((t, i) => [moment(s, t), totals[i].toLocaleString(), ...(s.before ? [(s.before[i] ?? 0).toLocaleString()] : []), ...s.layers.map((layer) => layer.counts[i].toLocaleString())]).reverse()])
  }
  const show = () => {
    phased(card, model)
    const is_failed = model.phase === "failed"
    if (model.state && model.phase === "ready") {
      s = JSON.parse(model.state)
      typed = [...s.names]
      tip.hidden = true
      fill_fields()
      fill_legend()
      draw()
    }
    fill_names()
    const is_empty = model.phase === "ready" && !s.layers.length
    empty.textContent = is_failed ? without_fields(model.problem) : is_empty ? "No such events in this span" : ""
    empty.hidden = !empty.textContent
    chart.style.opacity = is_failed || is_empty ? 0.15 : 1
  }
  const add = () => {
    const name = field.value.trim()
    if (!name) return
    field.value = ""
    if (!typed.includes(name)) want([...typed, name], s.field)
  }
  form.addEventListener("submit", (event) => { event.preventDefault(); add() })
  field.addEventListener("change", add)
  select.addEventListener("change", () => want(typed, select.value))
  new ResizeObserver(() => { if (s.times.length) draw() }).observe(chart)
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
