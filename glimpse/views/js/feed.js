// The feed. New rows come on top, old ones go at the bottom; no row is drawn twice. Everything an event says becomes
// text, never markup. While it is stopped, what comes waits, and is counted.
const MOST = 60
const MOST_KEPT = 240  // while searched, rows that are not shown count too
const clock = new Intl.DateTimeFormat(undefined, {timeStyle: "medium"})

export function render({model, el}) {
  let count = 0
  const pick = (field, value) => { model.picked = JSON.stringify([field, value, Date.now() + ++count]) }
  // One stop for the Tab key, arrows within: five stops for each of sixty rows would be in everybody's way.
  const fact = (kind, text, field, value) => {
    const one = button(kind, text, () => pick(field, value))
    one.tabIndex = -1
    one.title = value == null ? `Filter by unknown ${field}` : `Filter by ${value}`
    return one
  }

  const draw = (r) => {
    const row = make("li", "row")
    row.dataset.event = r.name
    const place_name = [r.city ?? r.region, country_name(r.country)].filter(Boolean).join(", ") || "Unknown place"
    const where = r.city ? ["city", r.city] : r.region ? ["region", r.region] : ["country", r.country]
    const time = make("time", "num", clock.format(r.time))
    time.dateTime = new Date(r.time).toISOString()
    const top = make("div", "top")
    top.append(fact("name clip", r.label, "name", r.name))
    const page = r.page == null ? make("span", "page") : fact("page clip", r.page, "page", r.page)
    if (r.title) page.title = r.title
    top.append(page, time)
    const facts = make("div", "facts")
    facts.append(fact("place", place_name, ...where), fact("source", r.source ?? "Direct", "source", r.source))
    if (r.device) facts.append(fact("device", r.device, "browser", r.browser))
    row.append(make("i", "mark"), top, facts)
    row.search_ = [r.name, r.label, r.page, r.title, place_name, r.source ?? "direct", r.device].join("\n").toLowerCase()
    return row
  }

  const card = make("section", "card")
  card.setAttribute("aria-label", "Live feed")
  const head = make("div", "head")
  const waits = button("waits", "", () => toggle())
  waits.hidden = true
  const stop = button("stop", "Pause", () => toggle())
  const tools = make("div", "tools")
  const search = make("input", "search")
  search.type = "search"
  search.maxLength = 200
  search.placeholder = "Search the feed"
  search.setAttribute("aria-label", "Search the feed")
  const names = make("select", "names")
  names.setAttribute("aria-label", "Type of event")
  head.append(make("h2", "", "Live feed"), waits, stop)
  tools.append(search, names)
  const list = make("ol", "list")
  arrow_rows(list, "Events as they come")
  const empty = make("div", "empty")
  card.append(head, tools, list, empty)
  el.append(card)
  const tell_found = say_found(card)

  let slots = {}
  let last_batch = 0
  let is_stopped = false
  let at = 0  // how far down a reader has scrolled
  let waiting = []
  let waiting_count = 0
  const seen = new Set()

  const is_searched = () => Boolean(search.value.trim() || names.value)
  const colour = (row) => {
    row.firstChild.style.background = `var(--g-type-${slots[row.dataset.event] ?? 6})`
  }
  const recolour = () => {
    slots = model.slots ? JSON.parse(model.slots) : {}
    for (const row of list.children) colour(row)
  }
  const fits = (row) => {
    const text = search.value.trim().toLowerCase()
    return (!text || row.search_.includes(text)) && (!names.value || row.dataset.event === names.value)
  }
  const name_type = (name, label) => {
    const option = [...names.options].find((one) => one.value === name) ?? make("option")
    option.value = name
    option.textContent = label
    if (!option.isConnected) names.append(option)
  }
  const note_names = (rows) => {
    const fresh = rows.filter((r) => !seen.has(r.name) && seen.size < 200 && seen.add(r.name))
    if (fresh.length === 0 && names.options.length > 0) return
    if (names.options.length === 0) {
      names.append(make("option", "", "All events"))
      names.options[0].value = ""
    }
    for (const r of fresh) name_type(r.name, r.label)
  }
  // What an address says; a type of which nothing has come yet can be chosen too.
  const hear_type = () => {
    if (model.only && !seen.has(model.only)) name_type(model.only, model.only)
    if (names.value === model.only) return
    names.value = model.only
    look_again()
  }
  const hear_text = () => {
    if (search.value.trim() === model.find) return
    search.value = model.find
    look_again()
  }
  const say = () => {
    const shown = [...list.children].filter((row) => !row.hidden).length
    empty.hidden = shown > 0
    empty.textContent = list.children.length > 0 ? "No event of the last few fits." : "Events show here the moment they happen."
    waits.hidden = waiting_count === 0
    waits.textContent = `${waiting_count.toLocaleString()} waiting`
    stop.textContent = is_stopped ? "Resume" : "Pause"
    stop.setAttribute("aria-pressed", String(is_stopped))
  }
  const trim = () => {
    const most = is_searched() ? MOST_KEPT : MOST
    while (list.children.length > most) {
      if (list.lastChild.contains(list.getRootNode().activeElement)) list.focus()
      list.lastChild.remove()
    }
  }
  const add = (rows, is_new) => {
    note_names(rows)
    for (const r of rows) {
      const row = draw(r)
      colour(row)
      row.hidden = !fits(row)
      if (is_new && rows.length < 6) row.classList.add("new")
      list.prepend(row)
    }
    trim()
    say()
  }
  const look_again = () => {
    for (const row of list.children) row.hidden = !fits(row)
    trim()
    say()
    const what = [search.value.trim(), names.value && names.selectedOptions[0].textContent].filter(Boolean).join(", ")
    tell_found([...list.children].filter((row) => !row.hidden).length, what)
  }
  const toggle = () => {
    is_stopped = !is_stopped
    if (!is_stopped) {
      const rows = waiting
      waiting = []
      waiting_count = 0
      list.scrollTop = 0
      add(rows, false)
    }
    say()
  }
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {batch: 0, anew: true, rows: []}
    if (s.batch <= last_batch) return
    last_batch = s.batch
    if (s.anew) {
      list.replaceChildren()
      waiting = []
      waiting_count = 0
    }
    if (is_stopped && !s.anew) {
      waiting_count += s.rows.length + (s.more ?? 0)
      waiting = [...waiting, ...s.rows].slice(-MOST)
      say()
      return
    }
    // A reader who has scrolled down keeps the place. Who has not is not measured: that would lay out the page at once.
    const height = at > 0 ? list.scrollHeight : 0
    add(s.rows, !s.anew)
    if (at > 0) list.scrollTop = at + list.scrollHeight - height
  }
  list.addEventListener("scroll", () => { at = list.scrollTop }, {passive: true})
  search.addEventListener("input", look_again)
  search.addEventListener("input", when_still(() => { model.find = search.value.trim() }))
  names.addEventListener("change", () => { model.only = names.value; look_again() })
  recolour()
  note_names([])
  hear_type()
  hear_text()
  show()
  say()
  model.on("slots", recolour)
  model.on("only", hear_type)
  model.on("find", hear_text)
  model.on("state", show)
  model.ready += 1
}
