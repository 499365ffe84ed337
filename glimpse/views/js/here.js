// Who is here now. Lines are kept by session and moved, so that nothing flickers; what they say is only ever text.
export function render({model, el}) {
  const card = make("section", "card")
  card.setAttribute("aria-label", "Who is here now")
  const head = make("div", "head")
  const count = make("span", "hint")
  head.append(make("h2", "", "Who is here now"), count)
  const list = make("ol", "list")
  arrow_rows(list, "Open sessions")
  const empty = make("div", "empty", "Nobody is here right now")
  card.append(head, list, empty)
  el.append(card)
  const rows = new Map()
  let s = {now: 0, all: 0, lines: []}, skew = 0, clicks = 0

  const draw = (id) => {
    const li = make("li")
    const row = make("button", "row")
    row.type = "button"
    row.tabIndex = -1
    row.title = "Filter by this session"
    const dot = make("i", "dot")
    dot.setAttribute("role", "img")
    row.append(dot, make("span", "place clip"), make("span", "page clip"), make("span", "source clip"), make("span", "device clip"), make("span", "ago num"))
    row.addEventListener("click", () => { model.picked = JSON.stringify(["session_id", id, Date.now() + ++clicks]) })
    li.append(row)
    return li
  }
  const age = () => {
    const now = Date.now() - skew
    for (const line of s.lines) {
      const row = rows.get(line.id)?.firstChild
      if (row) write(row.lastChild, lasting((now - line.heard) / 1000))
    }
  }
  const show = () => {
    if (model.state) s = JSON.parse(model.state)
    skew = Date.now() - s.now
    const there = new Set(s.lines.map((line) => line.id))
    for (const [id, li] of rows) {
      if (there.has(id)) continue
      li.remove()
      rows.delete(id)
    }
    keep_focus(list, () => s.lines.forEach((line, i) => {
      if (!rows.has(line.id)) rows.set(line.id, draw(line.id))
      const li = rows.get(line.id)
      const [dot, where, page, source, device] = li.firstChild.children
      const presence = line.active ? "Active" : "Idle"
      if (dot.title !== presence) {
        dot.className = `dot ${presence.toLowerCase()}`
        dot.title = presence
        dot.setAttribute("aria-label", presence)
      }
      write(where, [line.city, country_name(line.country)].filter(Boolean).join(", ") || "Unknown place")
      write(page, line.page ?? "–")
      write(source, line.source ?? "Direct")
      write(device, line.device ?? "–")
      if (list.children[i] !== li) list.insertBefore(li, list.children[i] ?? null)
    }))
    write(count, s.all > s.lines.length ? `the latest ${s.lines.length} of ${s.all.toLocaleString()}` : "")
    write(empty, s.is_over ? "The chosen span is over: who is here now is no part of it" : "Nobody is here right now")
    empty.hidden = s.lines.length > 0
    age()
  }
  show()
  model.on("state", show)
  const timer = setInterval(() => card.isConnected ? age() : clearInterval(timer), 1000)
}
