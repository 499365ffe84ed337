// One card of a breakdown: tabs, a search, sorted lines with bars and shares, and what it says as a file.
// Values are data: they only ever become text.
const UNITS = {events: "Events", page_views: "Views", sessions: "Sessions"}
const GOAL = {conversion: "Goal"}
const SHOWN = 60  // at first; the others when they are asked for
const percent = (share) => share > 0 && share < 0.01 ? "<1%" : `${Math.round(share * 100)}%`
const exact = (share) => `${(share * 100).toLocaleString(undefined, {maximumFractionDigits: share < 0.1 ? 1 : 0})}%`

export function render({model, el}) {
  let count = 0
  const want = (what) => { model.wanted = JSON.stringify({...what, n: Date.now() + ++count}) }
  const pick = (field, value) => { model.picked = JSON.stringify([field, value, Date.now() + ++count]) }
  const card = make("section", "card")
  const head = make("div", "head")
  const title = make("h2", "", model.title)
  head.append(title, save_buttons(model, want))
  const panel = make("div", "panel")
  const tabs = tab_list(panel, (name) => want({tab: name}))
  const tools = make("div", "tools")
  const search = make("input", "search")
  search.type = "search"
  search.maxLength = 200
  search.placeholder = "Search"
  const columns = make("div", "columns")
  columns.setAttribute("role", "group")
  columns.setAttribute("aria-label", "Sorted by")
  tools.append(search, columns)
  const list = make("ol", "list")
  arrow_rows(list, model.title)
  const empty = make("div", "empty")
  card.setAttribute("aria-label", model.title)
  search.setAttribute("aria-label", `Search ${model.title}`)
  panel.append(tools, list, empty)
  card.append(head, tabs.list, panel)
  el.append(card)
  const tell_found = say_found(card)

  let field = ""
  let s = {tabs: [], rows: [], by: "events", nothing: ""}
  let sorted_by = "", counted_by = "", heard = -1
  let is_whole = false  // all lines are shown
  // Which share of a line's sessions reaches the goal, as a bar beside the line's own.
  const converted = (row) => {
    const box = make("span", "goal num")
    const is_known = row.conversion != null
    const track = make("i", "track")
    const bar = make("i", "reached")
    bar.style.width = `${(row.conversion ?? 0) * 100}%`
    track.append(bar)
    box.append(track, make("span", "rate", is_known ? exact(row.conversion) : "–"))
    if (is_known) box.title = `${row.reached.toLocaleString()} of these sessions reached ${s.goal}`
    return box
  }
  // How what the lines are counted by has changed since the span before.
  const change = (row) => {
    const now = row[counted_by], before = row[`${counted_by}_before`]
    const text = before == null ? "–" : before > 0 ? changed(now / before - 1, "%") : now > 0 ? "new" : "±0%"
    const box = make("span", "change num", text)
    box.title = before == null ? "Before: not known" : `Before: ${number(before)}`
    return box
  }
  const line = (row, most) => {
    const li = make("li")
    const can_pick = !row.is_other
    const one = can_pick ? button("line", null, () => pick(s.field, row.value)) : make("div", "line")
    if (can_pick) one.tabIndex = -1
    const bar = make("i", "bar")
    bar.style.setProperty("--part", row[counted_by] / most)
    const name = s.field.endsWith("country") && row.value ? country_name(row.value) : row.shown
    one.dataset.key = String(row.value)
    one.title = can_pick ? `Filter by ${name}` : name
    one.append(bar, make("span", row.value == null ? "name clip none" : "name clip", name),
      make("span", "n num", row[counted_by].toLocaleString()), ...(s.compares ? [change(row)] : []), make("span", "share num", percent(row.part)))
    if (s.goal) one.append(converted(row))
    li.append(one)
    return li
  }
  const others = (n) => {
    if (n <= 0) return []
    const li = make("li")
    li.append(button("more", plural(n, "more line", "more lines"), () => { is_whole = true; fill() }))
    li.firstChild.tabIndex = -1
    return [li]
  }
  const fill = (is_typed = false) => {
    counted_by = sorted_by in GOAL ? s.by : sorted_by
    const whole = s.rows.reduce((sum, row) => sum + row[counted_by], 0) || 1
    const all = s.rows.map((row) => ({...row, part: counted_by === s.by ? row.share : row[counted_by] / whole}))
    all.sort((a, b) => a.is_other - b.is_other || (b[sorted_by] ?? -1) - (a[sorted_by] ?? -1) || b[counted_by] - a[counted_by])
    const text = search.value.trim().toLowerCase()
    const name = (row) => s.field.endsWith("country") && row.value ? country_name(row.value) : String(row.shown)
    const found = text ? all.filter((row) => name(row).toLowerCase().includes(text)) : all
    if (is_typed) tell_found(found.length, text)
    const most = Math.max(1, ...found.filter((row) => !row.is_other).map((row) => row[counted_by]))
    const shown = is_whole ? found : found.slice(0, SHOWN)
    keep_focus(list, () => list.replaceChildren(...shown.map((row) => line(row, Math.max(most, row[counted_by]))), ...others(found.length - shown.length)))
    empty.hidden = found.length > 0 && model.phase !== "failed"
    empty.textContent = model.phase === "failed" ? model.problem : model.phase === "loading" && !model.state ? "" : s.nothing
    for (const one of columns.children) one.setAttribute("aria-pressed", String(one.dataset.key === sorted_by))
  }
  const show = () => {
    phased(card, model)
    if (model.state) s = JSON.parse(model.state)
    tabs.show(s.tabs, s.tab)
    if (s.field !== field) is_whole = false
    if (s.field !== field || (sorted_by in GOAL && !s.goal)) sorted_by = s.by
    field = s.field
    if (model.state && s.heard !== heard) {  // what an address says; else what is typed here goes on
      hear_search(search, s.find, heard < 0)
      heard = s.heard
      sorted_by = s.sorted && (s.goal || !(s.sorted in GOAL)) ? s.sorted : s.by
    }
    list.dataset.beside = [s.compares && "change", s.goal && "goal"].filter(Boolean).join(" ")
    keep_focus(columns, () => columns.replaceChildren(...Object.entries({...UNITS, ...(s.goal ? GOAL : {})}).map(([key, name]) => {
      const one = button("column", name, () => { sorted_by = key; fill(); want({by: key === s.by ? "" : key}) })
      one.dataset.key = key
      if (key in GOAL) one.title = `Which share of the sessions reached ${s.goal}`
      return one
    })))
    fill()
  }
  search.addEventListener("input", () => fill(true))
  search.addEventListener("input", when_still(() => want({find: search.value.trim()})))
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
