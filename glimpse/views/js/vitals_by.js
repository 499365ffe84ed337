// Web Vitals by page, country or device: a line each, the slowest first by whichever column is clicked.
// Values are data: they only ever become text.
const shown = (field, value) => {
  if (value == null) return "Unknown"
  return field === "country" ? country_name(value) : value
}
const written = (metric, value) => {
  if (metric === "CLS") return to_digits(value, 2)
  return value >= 1000 ? in_unit(value / 1000, "second", 1, 1) : in_unit(Math.round(value), "millisecond")
}

export function render({model, el}) {
  let count = 0
  const want = (what) => { model.wanted = JSON.stringify({...what, n: Date.now() + ++count}) }
  const pick = (field, value) => { model.picked = JSON.stringify([field, value, Date.now() + ++count]) }
  const card = make("section", "card")
  const head = make("div", "head")
  const title = make("h2", "", "Slowest first")
  head.append(title, make("span", "hint", "75th percentile"), save_buttons(model, want))
  const scroll = make("div", "scroll")
  const tabs = tab_list(scroll, (name) => want({tab: name}))
  const table = make("table")
  const empty = make("div", "empty")
  scroll.append(table)
  const look = say_goes_on(scroll)
  card.append(head, tabs.list, scroll, empty)
  card.setAttribute("aria-label", "Web vitals by page, country or device")
  el.append(card)
  let s = {tabs: [], rows: [], metrics: [], field: "page"}
  let sorted_by = "LCP", heard = -1

  const most = (row) => Math.max(...Object.values(row.metrics).map((one) => one.n))
  const change_of = (row) => {
    const now = row.metrics[sorted_by]?.value, before = row.before[sorted_by]
    const td = make("td", "num count", now == null || !before ? "–" : changed(now / before - 1, "%"))
    td.title = before == null ? `${sorted_by} was not measured before` : `${sorted_by} before: ${written(sorted_by, before)}`
    return td
  }
  const line = (row) => {
    const tr = make("tr")
    const th = make("th")
    th.scope = "row"
    const name = shown(s.field, row.value)
    const link = button(row.value == null ? "who clip none" : "who clip", name, () => pick(s.field, row.value))
    link.title = `Filter by ${name}`
    th.append(link)
    tr.append(th, ...s.metrics.map((metric) => {
      const one = row.metrics[metric]
      const td = make("td", "num", one ? written(metric, one.value) : "–")
      if (one) {
        td.dataset.band = one.band
        td.title = `${one.band}: ${Math.round(one.good * 100)}% good, of ${one.n.toLocaleString()}`
      }
      return td
    }), make("td", "num count", most(row).toLocaleString()), ...(s.compares ? [change_of(row)] : []))
    return tr
  }
  const fill = () => {
    const top = make("tr")
    const first = make("th", "", s.tab)
    first.scope = "col"
    top.append(first, ...s.metrics.map((metric) => {
      const th = make("th")
      th.scope = "col"
      const is_this = metric === sorted_by
      if (is_this) th.setAttribute("aria-sort", "descending")
      const one = button("column", metric, () => { sorted_by = metric; fill(); want({by: metric}) })
      one.setAttribute("aria-pressed", String(is_this))
      th.append(one)
      return th
    }), make("th", "count", "Measured"))
    if (s.compares) top.append(make("th", "count", `${sorted_by} since before`))
    for (const th of top.querySelectorAll(".count")) th.scope = "col"
    const of = (row) => row.metrics[sorted_by]?.value ?? -1
    const rows = [...s.rows].sort((a, b) => of(b) - of(a))
    table.setAttribute("aria-label", `75th percentile of each Web Vital by ${s.tab}`)
    keep_focus(table, () => {
      table.replaceChildren(make("thead"), make("tbody"))
      table.firstChild.append(top)
      table.lastChild.append(...rows.map(line))
    })
  }
  const show = () => {
    phased(card, model)
    if (model.state) s = JSON.parse(model.state)
    tabs.show(s.tabs, s.tab)
    if (model.state && s.heard !== heard) sorted_by = s.sorted
    if (model.state) heard = s.heard
    const is_failed = model.phase === "failed"
    empty.textContent = is_failed ? model.problem : s.rows.length || model.phase === "loading" ? "" : "Nothing in this span"
    empty.hidden = !empty.textContent
    table.hidden = is_failed || !s.rows.length
    fill()
    look()
  }
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
