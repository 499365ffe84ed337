// Which share of a cohort's sessions was still there after some time: a line for each cohort, cells coloured by share.
// Values are data: they only ever become text.

export function render({model, el}) {
  let count = 0
  const card = make("section", "card")
  card.setAttribute("aria-label", "Retention")
  const head = make("div", "head")
  const hint = make("span", "hint")
  head.append(make("h2", "", "Retention"), hint)
  const scroll = make("div", "scroll")
  scroll.tabIndex = 0  // it has nothing else that can be gone to
  const tabs = tab_list(scroll, (name) => { model.wanted = JSON.stringify({tab: name, n: Date.now() + ++count}) })
  const table = make("table")
  scroll.append(table)
  const empty = make("div", "empty")
  card.append(head, tabs.list, scroll, empty)
  el.append(card)
  let s = {tabs: [], rows: [], after_s: []}

  const called = (value) => {
    if (s.field === null) return new Intl.DateTimeFormat(undefined, {weekday: "short", day: "numeric", month: "short", timeZone: s.tz}).format(value)
    if (value == null) return s.tab === "Source" ? "Direct" : "Unknown"
    return s.tab === "Country" ? country_name(value) : value
  }
  const line = (row) => {
    const tr = make("tr")
    const th = make("th", "clip", called(row.of))
    th.scope = "row"
    th.title = th.textContent
    tr.append(th, make("td", "all num", row.sessions.toLocaleString()), ...row.still_there.map((n, i) => {
      const share = row.sessions ? n / row.sessions : 0
      const td = make("td", "cell num")
      const box = make("span", "box", `${Math.round(share * 100)}%`)
      box.style.setProperty("--share", share.toFixed(3))
      td.title = `${n.toLocaleString()} of ${row.sessions.toLocaleString()} after ${lasting(s.after_s[i])}`
      const then = row.before?.sessions ? row.before.still_there[i] / row.before.sessions : null
      if (row.before) {
        td.title += then == null ? "; no sessions before" : `; before ${Math.round(then * 100)}%`
        box.append(make("small", "before", then == null ? "–" : changed(share - then, "points").replace(/ points?$/, "")))
      }
      td.append(box)
      return td
    }))
    return tr
  }
  const show = () => {
    phased(card, model)
    if (model.state) s = JSON.parse(model.state)
    tabs.show(s.tabs, s.tab)
    const is_failed = model.phase === "failed"
    empty.textContent = is_failed ? model.problem : "No sessions started in this span"
    empty.hidden = !is_failed && (model.phase === "loading" || s.rows.length > 0)
    table.hidden = is_failed || s.rows.length === 0
    hint.textContent = `sessions still there after${s.rows.some((row) => row.before) ? ", in points against the span before" : ""}`
    const top = make("tr")
    top.append(...[s.tab, "Sessions", ...s.after_s.map(lasting)].map((text) => {
      const th = make("th", "", text)
      th.scope = "col"
      return th
    }))
    table.setAttribute("aria-label", "Share of sessions that were still there")
    table.replaceChildren(make("thead"), make("tbody"))
    table.firstChild.append(top)
    table.lastChild.append(...s.rows.map(line))
  }
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
