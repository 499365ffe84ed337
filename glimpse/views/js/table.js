// A chart's numbers as a table too, for those who can't see the drawing or would rather read. Cells are data: they only
// ever become text, or are elements that were made here.
const table_of = (what, columns, rows, texts = 1) => {
  const table = make("table"), head = make("thead"), body = make("tbody"), names = make("tr")
  table.setAttribute("aria-label", what)
  names.append(...columns.map((name, i) => {
    const th = make("th", i < texts ? "" : "num", name)
    th.scope = "col"
    return th
  }))
  head.append(names)
  body.append(...rows.map((row) => {
    const tr = make("tr")
    tr.append(...row.map((cell, i) => {
      const one = make(i ? "td" : "th", i < texts ? "" : "num")
      if (!i) one.scope = "row"
      one.append(cell ?? "–")
      return one
    }))
    return tr
  }))
  table.append(head, body)
  return table
}
// A button that says whether the table is shown, and where it is.
const table_switch = (what, on_switch, other = "chart") => {
  const region = make("div", "as-table")
  region.tabIndex = 0
  region.setAttribute("role", "region")
  region.setAttribute("aria-label", `${what} as a table`)
  const toggle = button("to-table", "Show as table", () => on_switch(region.hidden))
  const show = (is_open) => {
    region.hidden = !is_open
    toggle.textContent = is_open ? `Show as ${other}` : "Show as table"
  }
  show(false)
  return {region, toggle, show}
}
// For a chart in a card; `tell` is given a function that returns columns and rows, and asks it when they are looked at.
const as_table = (card, chart, what, texts = 1) => {
  let told = null
  const fill = () => {
    if (parts.region.hidden || !told) return
    const at = parts.region.scrollTop
    parts.region.replaceChildren(table_of(what, ...told(), texts))
    parts.region.scrollTop = at
  }
  const parts = table_switch(what, (is_open) => {
    parts.show(is_open)
    card.dataset.as = is_open ? "table" : "chart"
    fill()
  })
  chart.setAttribute("role", "figure")
  chart.setAttribute("aria-label", what)
  chart.after(parts.region)
  const tell = (make_rows) => {
    told = make_rows
    fill()
  }
  return {toggle: parts.toggle, tell}
}
