// Segments beside each other: a column for each, a row for each measure, with how it went over time on one scale for
// all columns. Names and filters are data: they only ever become text.
const H = 46
const MEASURES = [["sessions", "Sessions"], ["page_views", "Page views"], ["bounce", "Bounce rate"], ["duration_s", "Mean duration"], ["conversion", "Conversion"]]
const percent = (share) => share > 0 && share < 0.001 ? "<0.1%" : `${(share * 100).toLocaleString(undefined, {maximumFractionDigits: 1})}%`
const written = (key, value) => value == null ? "–" : key === "duration_s" ? lasting(Math.round(value)) : key === "bounce" || key === "conversion" ? percent(value) : value.toLocaleString()
const KINDS = {segment: "segment", filter: "filter", everything: "everything"}

export function render({model, el}) {
  let count = 0
  const card = make("section", "card")
  card.setAttribute("aria-label", "Segments side by side")
  const head = make("div", "head")
  const add = button("add", "Add a column", () => want([...typed, s.another]))
  const hint = make("span", "hint", "")
  const scroll = make("div", "scroll")
  const empty = make("div", "empty")
  const offered = make("datalist")
  offered.id = "segments"
  card.append(head, scroll, offered, empty)
  el.append(card)
  const other = as_table(card, scroll, "Segments side by side", 2)
  head.append(make("h2", "", "Segments side by side"), hint, other.toggle, add)
  let s = {columns: [], known: [], goal: "", least: 2, most: 4}
  let typed = []
  const want = (columns) => {
    typed = columns
    model.wanted = JSON.stringify({columns, n: Date.now() + ++count})
  }
  const header = (column, at) => {
    const box = make("div", "top")
    const line = make("div", "line")
    const dot = make("i", "swatch")
    dot.style.background = `var(--g-type-${at})`
    const field = make("input", "field")
    field.type = "text"
    field.value = column.typed
    field.placeholder = "Everything"
    field.title = column.means
    field.setAttribute("aria-label", `Column ${at + 1}: a segment or a filter; everything, if empty`)
    field.setAttribute("list", "segments")
    field.autocomplete = "off"
    field.spellcheck = false
    field.addEventListener("change", () => want(typed.map((one, i) => i === at ? field.value : one)))
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") field.value = column.typed
    })
    line.append(dot, field)
    if (s.columns.length > s.least) {
      const cross = button("cross", "×", () => want(typed.filter((_, i) => i !== at)))
      cross.setAttribute("aria-label", `Remove column ${at + 1}`)
      line.append(cross)
    }
    box.append(line, make("div", "kind clip", column.kind === "segment" ? `segment · ${column.means}` : KINDS[column.kind]))
    if (column.problem) {
      const problem = make("div", "problem", without_fields(column.problem))
      problem.setAttribute("role", "alert")
      box.append(problem)
    }
    return box
  }
  const spark = (column, at, place, most, name) => {
    const values = column.steps.map((step) => step[place])
    const W = 200
    const says = `${name} over time, up to ${written(MEASURES[place - 1][0], Math.max(...values.filter((value) => value != null), 0))} in one ${s.unit}`
    const svg = shape("svg", {viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", class: "spark", role: "img", "aria-label": `${says}, column ${at + 1}`})
    const x = (i) => values.length > 1 ? W * i / (values.length - 1) : W / 2
    const y = (value) => H - 3 - (H - 8) * value / most
    svg.append(shape("line", {x1: 0, x2: W, y1: H - 3, y2: H - 3, class: "grid"}))
    let d = "", is_pen_up = true
    values.forEach((value, i) => {
      if (value == null) { is_pen_up = true; return }
      const is_alone = is_pen_up && values[i + 1] == null
      d += `${is_pen_up ? "M" : "L"}${x(i).toFixed(1)} ${y(value).toFixed(1)}${is_alone ? `h${values.length > 1 ? 0.01 : W / 2}` : ""}`
      is_pen_up = false
    })
    svg.append(shape("path", {d, class: "path", style: `stroke:var(--g-type-${at})`}))
    svg.append(shape("title", {}, says))
    return svg
  }
  const cell = (column, at, [key, name], place, most) => {
    const box = make("div", "cell")
    if (column.problem) return box
    const value = column.totals[key], first = s.columns[0].totals?.[key]
    const line = make("div", "now")
    line.append(make("b", "value num", written(key, value)))
    if (at > 0 && value != null && first) {
      const by = value / first - 1
      line.append(make("span", "change num", changed(by, "%")))
      line.lastChild.title = "beside the first column"
    }
    box.dataset.measure = key
    box.append(make("div", "of", name), line, spark(column, at, place, most, name))
    return box
  }
  const show = () => {
    phased(card, model)
    const is_failed = model.phase === "failed"
    empty.textContent = is_failed ? model.problem : ""
    empty.hidden = !is_failed
    add.hidden = !model.state || s.columns.length >= s.most
    if (is_failed || !model.state || model.phase === "loading") return
    s = JSON.parse(model.state)
    typed = s.columns.map((column) => column.typed)
    hint.textContent = s.goal ? `conversion to ${s.goal}` : "choose a goal above to see conversion"
    add.hidden = s.columns.length >= s.most
    offered.replaceChildren(...s.known.map((value) => {
      const option = make("option")
      option.value = value
      return option
    }))
    const measures = MEASURES.filter(([key]) => key !== "conversion" || s.goal)
    keep_focus(scroll, () => scroll.replaceChildren(...s.columns.map((column, at) => {
      const one = make("div", "column")
      one.append(header(column, at), ...measures.map((measure) => {
        const place = MEASURES.indexOf(measure) + 1
        const most = Math.max(1e-9, ...s.columns.filter((other) => other.steps).flatMap((other) => other.steps.map((step) => step[place] ?? 0)))
        return cell(column, at, measure, place, most)
      }))
      return one
    })))
    scroll.style.setProperty("--columns", s.columns.length)
    other.tell(() => {
      const cells = (key, of) => s.columns.map((column) => column.problem ? "–" : written(key, of(column)))
      const all = measures.map(([key, name]) => ["All of the span", name, ...cells(key, (column) => column.totals[key])])
      const steps = s.columns.find((column) => column.steps)?.steps ?? []
      const each = steps.flatMap((step, i) => measures.map(([key, name]) => [moment(s, step[0]), name, ...cells(key, (column) => column.steps[i]?.[MEASURES.findIndex(([one]) => one === key) + 1])]))
      return [["Time", "Measure", ...s.columns.map((column, at) => column.typed || (at ? `Everything, column ${at + 1}` : "Everything"))], [...all, ...each.toReversed()]]
    })
  }
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
