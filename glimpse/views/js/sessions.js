// The list of sessions. Whatever a visitor's browser said only ever becomes text.
export function render({model, el}) {
  const card = make("section", "card")
  card.setAttribute("aria-label", "Sessions")
  const head = make("div", "head")
  const count = make("span", "hint")
  head.append(make("h2", "", "Sessions"), count)
  const search = make("input", "search")
  search.type = "search"
  search.maxLength = 200
  search.placeholder = "Search these sessions"
  search.setAttribute("aria-label", "Search these sessions")
  const tools = make("div", "tools")
  tools.append(search)
  const list = make("ol", "list")
  arrow_rows(list, "Sessions, newest first")
  const empty = make("div", "empty")
  card.append(head, tools, list, empty)
  el.append(card)
  const tell_found = say_found(card)
  let s = {rows: []}, open = "", is_chosen = false, asked = 0, heard = -1

  const draw = (row) => {
    const li = make("li")
    const one = make("button", "row")
    one.type = "button"
    one.tabIndex = -1
    one.dataset.session = one.dataset.key = row.id
    const when = [{day: "numeric", month: "short"}, {timeStyle: "medium"}].map((part) => new Intl.DateTimeFormat(undefined, {...part, timeZone: s.tz}).format(row.started_at)).join(", ")
    const where = [row.city ?? row.region, country_name(row.country)].filter(Boolean).join(", ") || "Unknown place"
    const way = row.entry_page === row.exit_page ? row.entry_page : `${row.entry_page ?? "?"} → ${row.exit_page ?? "?"}`
    const top = make("span", "top"), low = make("span", "low")
    top.append(make("span", "place clip", where), make("span", "when num", when))
    const device = [row.browser, row.os].filter(Boolean).join(" on ") || row.device
    low.append(make("span", "way clip", way ?? "no page"),
      make("span", "facts num", `${plural(row.pages, "page", "pages")} · ${plural(row.events, "event", "events")} · ${lasting(Math.round(row.duration_s ?? 0))}`))
    const last = make("span", "low")
    last.append(make("span", "way clip", [row.source ?? "Direct", device].filter(Boolean).join(" · ")), make("span", "facts", row.is_bounce ? "bounce" : ""))
    one.append(top, low, last)
    one.search_ = [where, way, device, row.source ?? "direct", row.id].join("\n").toLowerCase()
    one.addEventListener("click", () => {
      open = row.id
      is_chosen = true
      mark()
      model.wanted = JSON.stringify({open: row.id, project: row.project, n: Date.now() + ++asked})
    })
    li.append(one)
    return li
  }
  const mark = () => {
    for (const li of list.children) li.firstChild.setAttribute("aria-pressed", String(li.firstChild.dataset.session === open))
  }
  const filter = (is_typed = false) => {
    const text = search.value.trim().toLowerCase()
    for (const li of list.children) li.hidden = Boolean(text) && !li.firstChild.search_.includes(text)
    const shown = [...list.children].filter((li) => !li.hidden).length
    if (is_typed) tell_found(shown, text)
    empty.hidden = shown > 0 && model.phase !== "failed"
    empty.textContent = model.phase === "failed" ? model.problem : model.phase === "loading" && !model.state ? "" : s.rows.length ? "No session fits" : "No session in this span"
    count.textContent = s.rows.length === 0 ? "" : s.more ? `the newest ${s.rows.length}` : plural(s.rows.length, "session", "sessions")
  }
  let drawn = ""
  const show = () => {
    phased(card, model)
    if (model.state && model.state !== drawn) {
      drawn = model.state
      s = JSON.parse(drawn)
      if (s.heard !== heard) hear_search(search, s.find, heard < 0)  // what an address says; else what is typed here goes on
      heard = s.heard
      if (!is_chosen) open = s.open
      keep_focus(list, () => list.replaceChildren(...s.rows.map(draw)))
      mark()
    }
    filter()
  }
  search.addEventListener("input", () => filter(true))
  search.addEventListener("input", when_still(() => { model.wanted = JSON.stringify({find: search.value.trim(), n: Date.now() + ++asked}) }))
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
