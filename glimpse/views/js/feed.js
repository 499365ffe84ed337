// The feed. New rows come on top, old ones go at the bottom; no row is drawn twice. Everything an event says becomes
// text, never markup.
const MOST = 60
const regions = new Intl.DisplayNames(["en"], {type: "region"})
const clock = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", second: "2-digit"})

const make = (tag, name, text) => {
  const el = document.createElement(tag)
  if (name) el.className = name
  if (text != null) el.textContent = text
  return el
}
const country = (code) => {
  try { return code ? regions.of(code) : null } catch { return code }
}

function draw(r) {
  const el = make("li", "row")
  el.dataset.event = r.name
  const mark = make("i", "mark")
  const name = make("span", "name clip", r.label)
  name.title = r.name
  const page = make("span", "page clip", r.page ?? "")
  if (r.title) page.title = r.title
  const time = make("time", "num", clock.format(r.time))
  time.dateTime = new Date(r.time).toISOString()
  const top = make("div", "top")
  top.append(name, page, time)
  const place = [r.city, country(r.country)].filter(Boolean).join(", ") || "Unknown place"
  const facts = make("div", "facts clip")
  for (const [kind, text] of [["place", place], ["source", r.source ?? "Direct"], ["device", r.device]]) {
    if (text) facts.append(make("span", kind, text))
  }
  el.append(mark, top, facts)
  return el
}

export function render({model, el}) {
  const card = make("section", "card")
  const head = make("div", "head")
  const count = make("span", "hint", "")
  head.append(make("h2", "", "Live feed"), count)
  const list = make("ol", "list")
  list.setAttribute("aria-label", "Events as they come")
  const empty = make("div", "empty", "Events show here the moment they happen.")
  card.append(head, list, empty)
  el.append(card)

  let slots = {}
  let last_batch = 0
  const colour = (row) => {
    row.firstChild.style.background = `var(--g-type-${slots[row.dataset.event] ?? 6})`
  }
  const recolour = () => {
    slots = model.slots ? JSON.parse(model.slots) : {}
    for (const row of list.children) colour(row)
  }
  const add = (rows, is_new) => {
    for (const r of rows) {
      const row = draw(r)
      colour(row)
      if (is_new && rows.length < 6) row.classList.add("new")
      list.prepend(row)
    }
    while (list.children.length > MOST) list.lastChild.remove()
    empty.hidden = list.children.length > 0
  }
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {batch: 0, anew: true, rows: []}
    if (s.batch <= last_batch) return
    last_batch = s.batch
    if (s.anew) list.replaceChildren()
    // A reader who has scrolled down keeps the place.
    const height = list.scrollHeight, at = list.scrollTop
    add(s.rows, !s.anew)
    if (at > 0) list.scrollTop = at + list.scrollHeight - height
  }
  recolour()
  show()
  empty.hidden = list.children.length > 0
  model.on("slots", recolour)
  model.on("state", show)
  model.ready += 1
}
