// A list with bars. Rows are kept and rewritten in place, so that nothing flickers when ranks change.
const shown = (kind, line) => {
  return kind === "countries" && line.name ? country_name(line.name) : line.shown
}

export function render({model, el}) {
  const card = make("section", "card")
  const head = make("div", "head")
  const title = make("h2")
  const unit = make("span", "hint")
  head.append(title, unit)
  const list = make("ol", "list")
  const empty = make("div", "empty", "Nothing yet")
  card.append(head, list, empty)
  el.append(card)

  let field = ""
  let count = 0
  const pick = (value) => { model.picked = JSON.stringify([field, value, Date.now() + ++count]) }
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {title: "", unit: "", lines: []}
    write(title, s.title)
    write(unit, s.unit)
    if (card.ariaLabel !== s.title) card.setAttribute("aria-label", s.title)
    field = s.picks
    while (list.children.length > s.lines.length) list.lastChild.remove()
    while (list.children.length < s.lines.length) {
      const row = make("li")
      const line = make("button", "line")
      line.type = "button"
      line.append(make("i", "bar"), make("span", "name clip"), make("span", "n num"), make("span", "share num"))
      line.addEventListener("click", () => pick(row.value_))
      row.append(line)
      list.append(row)
    }
    const most = Math.max(...s.lines.map((line) => line.n), 1)
    s.lines.forEach((line, i) => {
      list.children[i].value_ = line.name
      const [bar, name, n, share] = list.children[i].firstChild.children
      const part = (line.n / most).toFixed(2)  // a bar glides to its new width, which lays the list out anew in each frame
      if (bar.part_ !== part) bar.style.width = `calc((100% - 46px) * ${bar.part_ = part})`  // ends before the share
      const called = shown(model.kind, line)
      if (name.textContent !== called) list.children[i].firstChild.title = `Filter by ${called}`
      write(name, called)
      write(n, number(line.n))
      write(share, `${Math.round(line.share * 100)}%`)
    })
    empty.hidden = s.lines.length > 0
  }
  show()
  model.on("state", show)
}
