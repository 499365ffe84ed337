// How the server is: its books, its way from edge to store. Projects' names and letters' reasons only become text.
const size = (bytes) => {
  if (bytes == null) return "unknown"
  const units = ["B", "KB", "MB", "GB", "TB"]
  const step = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** step).toLocaleString(undefined, {maximumFractionDigits: step > 1 ? 1 : 0})} ${units[step]}`
}
const took = (us) => us >= 1000 ? in_unit(us / 1000, "millisecond", 1, 1) : us >= 10 ? `${Math.round(us)} µs` : `${to_digits(us, 1)} µs`
const per_second = (n) => n.toLocaleString(undefined, {maximumFractionDigits: n < 10 ? 1 : 0})
const COLUMNS = [["received", "Received"], ["stored", "Stored"], ["in_buffer", "In the buffer"], ["duplicate", "Twice"], ["dropped", "Dropped"], ["rejected", "Rejected"], ["dead_lettered", "Dead letters"], ["imported", "Imported"], ["expired", "Expired"]]
const total = (value) => typeof value === "number" ? value : Object.values(value).reduce((sum, n) => sum + n, 0)
const named = (project) => project === "*" ? "All" : project === null ? "Others" : project || "No project"
const PARTS = {buffer: "Buffer", store: "Store", geo: "Places"}

export function render({model, el}) {
  const whole = make("div", "whole")
  const section = (title) => {
    const card = make("section", "card")
    card.setAttribute("aria-label", title)
    const head = make("div", "head")
    const hint = make("span", "hint")
    head.append(make("h2", "", title), hint)
    card.append(head)
    return {card, hint}
  }
  const tiles = make("div", "tiles")
  const tile = (what) => {
    const card = make("div", "card tile")
    const value = make("b", "num"), more = make("div", "more"), bar = make("div", "bar"), fill = make("i")
    bar.append(fill)
    bar.hidden = true
    card.append(make("div", "what", what), value, more, bar)
    tiles.append(card)
    return (text, small, state, share) => {
      value.textContent = text
      more.textContent = small
      card.dataset.state = state ?? ""
      bar.hidden = share == null
      fill.style.width = `${Math.min(100, 100 * (share ?? 0))}%`
    }
  }
  const show_books_tile = tile("Books"), show_lag = tile("Behind by"), show_rate = tile("Events a second")
  const show_fill = tile("Buffer"), show_letters_tile = tile("Dead letters"), show_memory = tile("Memory"), show_store = tile("Store")

  const books = section("Ledger")
  const scroll = make("div", "scroll")
  scroll.tabIndex = 0
  scroll.setAttribute("role", "region")
  scroll.setAttribute("aria-label", "Ledger by project")
  const table = make("table"), thead = make("thead"), tbody = make("tbody")
  const names = make("tr")
  for (const name of ["Project", ...COLUMNS.map(([, name]) => name), "Balance"]) {
    const th = make("th", "", name)
    th.scope = "col"
    names.append(th)
  }
  thead.append(names)
  table.append(thead, tbody)
  scroll.append(table)
  const look = say_goes_on(scroll)
  books.card.append(scroll)

  const columns = make("div", "columns"), left = make("div", "whole"), right = make("div", "whole")
  const steps = section("Time an event takes, by step"), step_list = make("ol", "steps"), no_steps = make("p", "none", "Another process drains, or nothing has come yet.")
  steps.card.append(step_list, no_steps)
  const letters = section("Dead letters"), letter_list = make("ol", "letters"), no_letters = make("p", "none")
  const buttons = make("div", "buttons"), said = make("p", "said")
  said.setAttribute("role", "status")
  let count = 0
  const replay = button("action", "Play all again", () => {
    replay.disabled = true
    model.wanted = JSON.stringify({do: "replay", n: Date.now() + ++count})
  })
  buttons.append(replay, said)
  letters.card.append(letter_list, no_letters, buttons)
  const parts = section("Parts"), part_list = make("dl")
  parts.card.append(part_list)
  const versions = section("Versions"), version_list = make("dl")
  versions.card.append(version_list)
  left.append(steps.card)
  right.append(letters.card, parts.card, versions.card)
  columns.append(left, right)
  whole.append(tiles, books.card, columns)
  el.append(whole)

  const why = (value) => Object.entries(value).filter(([, n]) => n).map(([reason, n]) => `${number(n)} ${reason}`).join(", ")
  const book = (one) => {
    const tr = make("tr")
    const th = make("th", "", named(one.project))
    th.scope = "row"
    th.title = named(one.project)
    tr.append(th, ...COLUMNS.map(([key]) => {
      const td = make("td", "num", number(total(one[key])))
      if (typeof one[key] === "object" && total(one[key])) {
        td.title = why(one[key])
        td.append(make("div", "why", td.title))
      }
      return td
    }))
    const balance = make("td", one.difference ? "num bad" : "good", one.difference ? `${number(one.difference)} missing` : "balanced")
    if (one.difference < 0) balance.textContent = `${number(-one.difference)} too many`
    tr.append(balance)
    return tr
  }
  const terms = (list, pairs) => list.replaceChildren(...pairs.flatMap(([name, value, is_bad]) => [make("dt", "", name), make("dd", is_bad ? "bad" : "", value)]))
  let lists = ""
  const show = () => {
    if (!model.state) return
    const s = JSON.parse(model.state)
    const all = s.books.find((one) => one.project === "*")
    const off = s.books.filter((one) => one.difference && one.project !== "*")
    if (s.are_books_old) show_books_tile("Unknown", "the books can't be read now", "warn")
    else if (all) show_books_tile(off.length ? `${number(off.length)} off` : "Balanced", `${number(all.received)} received, ${number(all.stored)} stored`, off.length ? "bad" : "good")
    else show_books_tile("Unknown", "the store does not answer", "warn")
    const is_lag_known = s.state === "live" || s.lag_ms > 0  // who keeps the store tells it
    show_lag(is_lag_known ? lasting_ms(s.lag_ms) : "Unknown", s.state === "live" ? "live" : "delayed", s.state === "live" ? "" : "bad")
    show_rate(per_second(s.rates.received), s.is_owner ? `${per_second(s.rates.drained)} drained` : "another process drains")
    if (!s.room) show_fill("Unknown", "Redis does not answer", "bad")
    else show_fill(number(s.room.entries), `of ${number(s.room.high_mark)} entries; ${size(s.room.memory_bytes)}${s.room.most_memory_bytes ? ` of ${size(s.room.most_memory_bytes)}` : ""}`, s.room.entries > 0.8 * s.room.high_mark ? "bad" : "", s.room.entries / s.room.high_mark)
    const dead = s.room?.dead_letters ?? s.letters.length
    if (!s.room) show_letters_tile("Unknown", "Redis does not answer", "warn")
    else show_letters_tile(number(dead), dead ? "could not be stored" : "none", dead ? "warn" : "")
    show_memory(size(s.memory_bytes), "this process")
    show_store(size(s.store.bytes), s.store.bytes == null ? "kept by another process" : s.commits.count ? `${number(s.commits.count)} commits, ${lasting_ms(s.commits.ms)} each` : "no commit yet")
    books.hint.textContent = s.books.some((one) => one.project === null) ? "the latest projects, and the rest as one" : ""
    if (s.are_books_old && all) books.hint.textContent = "as they were when they could be read last"
    const key = JSON.stringify([s.books, s.letters, dead, !s.room, s.problems, s.versions])
    const drain = s.steps.filter((step) => step.of === "drain"), most = Math.max(1e-9, ...drain.map((step) => step.us))
    const in_order = drain.flatMap((step) => step.step === "enrich" ? [step, ...s.steps.filter((one) => one.of === "enrich")] : [step])
    steps.hint.textContent = s.steps.length ? `${took(drain.reduce((sum, step) => sum + step.us, 0))} in all, with waiting; since this process drains` : ""
    no_steps.hidden = s.steps.length > 0
    step_list.replaceChildren(...in_order.map((step) => {
      const li = make("li"), bar = make("div", "bar"), fill = make("i")
      fill.style.width = `${100 * step.us / most}%`
      bar.append(fill)
      li.append(make("span", "clip", step.step.replaceAll("_", " ")), bar, make("span", "num", took(step.us)))
      li.className = step.of === "enrich" ? "within" : ""
      return li
    }))
    if (key === lists) return
    lists = key
    tbody.replaceChildren(...s.books.map(book))
    look()
    letters.hint.textContent = dead > s.letters.length ? `the latest ${s.letters.length} of ${number(dead)}` : ""
    no_letters.hidden = s.room && dead > 0
    no_letters.textContent = s.room ? "None: every event that was taken could be stored." : "Unknown for as long as Redis does not answer."
    buttons.hidden = !dead && !said.textContent
    replay.hidden = !s.letters.some((letter) => letter.can_replay)
    letter_list.replaceChildren(...s.letters.toReversed().map((letter) => {
      const li = make("li")
      const at = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "medium"}).format(letter.at)
      li.append(make("span", "", `${letter.what} · ${at}${letter.can_replay ? "" : " · can't be played again"}`), make("span", "reason", letter.reason), make("span", "key", letter.key))
      return li
    }))
    terms(part_list, Object.entries(s.problems).map(([part, problem]) => [PARTS[part] ?? part, problem ?? "well", Boolean(problem)]))
    terms(version_list, Object.entries(s.versions))
  }
  const hear = () => {
    const answer = model.answer ? JSON.parse(model.answer) : {}
    said.textContent = answer.told ?? ""
    said.dataset.problem = String(Boolean(answer.is_problem))
    buttons.hidden = !said.textContent && replay.hidden
    replay.disabled = false
  }
  show()
  model.on("state", show)
  model.on("answer", hear)
}
