// All projects beside each other. Lines are kept by project and moved; names are data and only ever become text.
const SVG = "http://www.w3.org/2000/svg"
const COLUMNS = [["here", "here now"], ["events", "events a minute"], ["page_views", "page views"], ["sessions", "sessions"]]

export function render({model, el}) {
  const card = make("section", "card")
  card.setAttribute("aria-label", "Projects")
  const head = make("div", "head")
  const hint = make("span", "hint", "last 30 minutes")
  head.append(make("h2", "", "Projects"), hint)
  const list = make("ol", "list")
  card.append(head, list)
  el.append(card)
  const rows = new Map()
  let clicks = 0

  const draw = (project) => {
    const li = make("li")
    const row = button("row", null, () => { model.picked = JSON.stringify([project, Date.now() + ++clicks]) })
    row.title = `Show ${project}`
    row.append(make("span", "project clip", project))
    for (const [, unit] of COLUMNS) {
      const cell = make("span", "cell")
      cell.append(make("b", "num"), make("span", "unit clip", unit))
      row.append(cell)
    }
    const svg = document.createElementNS(SVG, "svg")
    svg.setAttribute("viewBox", "0 0 100 24")
    svg.setAttribute("preserveAspectRatio", "none")
    svg.setAttribute("aria-hidden", "true")
    svg.append(document.createElementNS(SVG, "path"))
    row.append(svg)
    li.append(row)
    return li
  }
  const show = () => {
    const {lines, is_span} = model.state ? JSON.parse(model.state) : {lines: [], is_span: false}
    write(hint, is_span ? "in the span" : "last 30 minutes")
    const there = new Set(lines.map((line) => line.project))
    for (const [project, li] of rows) {
      if (there.has(project)) continue
      li.remove()
      rows.delete(project)
    }
    keep_focus(list, () => lines.forEach((line, i) => {
      if (!rows.has(line.project)) rows.set(line.project, draw(line.project))
      const li = rows.get(line.project)
      const cells = [...li.firstChild.querySelectorAll("b")]
      write(li.firstChild.querySelectorAll(".unit")[1], is_span ? "events" : COLUMNS[1][1])
      COLUMNS.forEach(([key], at) => { cells[at].textContent = number(line[key]) })
      li.firstChild.dataset.here = String(line.here > 0)
      const most = Math.max(1, ...line.line), last = Math.max(1, line.line.length - 1)
      li.querySelector("path").setAttribute("d", line.line.map((n, at) => `${at ? "L" : "M"}${(100 * at / last).toFixed(1)} ${(23 - 22 * n / most).toFixed(1)}`).join(""))
      if (list.children[i] !== li) list.insertBefore(li, list.children[i] ?? null)
    }))
  }
  show()
  model.on("state", show)
}
