// A Sankey diagram of steps from page to page, drawn from counts: two columns of all, three around one page. A click on
// a page puts it in the middle. Names are data: they only ever become text.
const BAR = 10, GAP = 10, LEAST = 3, TOP = 26, CHAR = 7, NARROW = 480
// What tells pages apart is how they end.
const short = (text, most) => text.length <= most ? text : `…${text.slice(1 - Math.max(2, most))}`

export function render({model, el}) {
  let count = 0
  const want = (page) => { model.wanted = JSON.stringify({page, n: Date.now() + ++count}) }
  const card = make("section", "card")
  card.setAttribute("aria-label", "Paths")
  const head = make("div", "head")
  const all = make("button", "all", "All pages")
  all.type = "button"
  all.addEventListener("click", () => want(null))
  const hint = make("span", "hint clip", "")
  const chart = make("div", "chart")
  const empty = make("div", "empty")
  card.append(head, chart, empty)
  el.append(card)
  const other = as_table(card, chart, "Steps from page to page", 2)
  head.append(make("h2", "", "Paths"), hint, all, other.toggle)
  let s = {page: null, steps: []}

  // Columns of nodes: a page that is left stands on the left and one that is come to on the right.
  const arranged = () => {
    const columns = s.page === null ? [new Map(), new Map()] : [new Map(), new Map(), new Map()]
    const node = (column, page) => {
      if (!columns[column].has(page)) columns[column].set(page, {page, column, in: 0, out: 0})
      return columns[column].get(page)
    }
    const links = s.steps.map(([from, to, n]) => {
      const first = s.page !== null && from === s.page ? 1 : 0
      const link = {from: node(first, from), to: node(first + 1, to), n}
      link.from.out += n
      link.to.in += n
      return link
    })
    return {columns: columns.map((column) => [...column.values()].sort((a, b) => Math.max(b.in, b.out) - Math.max(a.in, a.out))), links}
  }
  const draw = () => {
    const {columns, links} = arranged()
    const width = Math.max(280, chart.clientWidth), height = Math.max(240, chart.clientHeight)
    const svg = shape("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": says()})
    const most = Math.max(...columns.map((column) => column.length), 1)
    const gap = Math.min(GAP, 160 / most)
    const whole = Math.max(...columns.map((column) => column.reduce((sum, one) => sum + Math.max(one.in, one.out), 0)), 1)
    const scale = Math.max(0, height - TOP - 8 - gap * (most - 1) - LEAST * most) / whole
    const label = columns.length === 2 ? Math.min(260, width * (width < NARROW ? 0.36 : 0.3)) : Math.min(220, width * 0.27)
    const span = width - 2 * label - BAR
    for (const column of columns) {
      const tall = column.reduce((sum, one) => sum + LEAST + Math.max(one.in, one.out) * scale, gap * (column.length - 1))
      let y = columns.length === 3 ? TOP + (height - TOP - 8 - tall) / 2 : TOP
      for (const one of column) {
        one.h = LEAST + Math.max(one.in, one.out) * scale
        one.x = label + span * one.column / (columns.length - 1)
        one.y = y
        one.in_at = one.out_at = y
        y += one.h + gap
      }
    }
    const thick = (n, node) => n / Math.max(node.in, node.out) * node.h
    links.sort((a, b) => a.to.y - b.to.y)
    for (const link of links) {
      link.y0 = link.from.out_at
      link.from.out_at += thick(link.n, link.from)
    }
    links.sort((a, b) => a.from.y - b.from.y)
    for (const link of links) {
      const h0 = thick(link.n, link.from), h1 = thick(link.n, link.to)
      const x0 = link.from.x + BAR, x1 = link.to.x, middle = (x0 + x1) / 2
      const {y0} = link, y1 = link.to.in_at
      link.to.in_at += h1
      const ribbon = shape("path", {class: "ribbon", d: `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}V${y1 + h1}C${middle} ${y1 + h1} ${middle} ${y0 + h0} ${x0} ${y0 + h0}Z`})
      ribbon.append(shape("title", {}, `${link.from.page} → ${link.to.page}: ${link.n.toLocaleString()}`))
      svg.append(ribbon)
    }
    const last = columns.length - 1
    const heads = columns.length === 2 ? ["From", "To"] : ["Came from", "", "Went to"]
    heads.forEach((text, i) => svg.append(shape("text", {class: "title", x: i === 0 ? label - 8 : i === last ? width - label + 8 : width / 2, y: 15, "text-anchor": i === 0 ? "end" : i === last ? "start" : "middle"}, text)))
    for (const one of columns.flat()) {
      const n = Math.max(one.in, one.out).toLocaleString()
      const group = shape("g", {class: "node", "data-key": one.page, role: "button", tabindex: 0, "aria-label": `${one.page}: ${n} steps`})
      group.append(shape("title", {}, one.page), shape("rect", {x: one.x, y: one.y, width: BAR, height: one.h, rx: 2}))
      const is_left = one.column === 0, is_middle = !is_left && one.column < last
      const text = `${short(one.page, Math.floor((label - 12) / CHAR) - n.length - 2)}  ${n}`
      const at = is_middle ? {x: one.x + BAR / 2, y: one.y - 8, "text-anchor": "middle"} : {x: is_left ? one.x - 8 : one.x + BAR + 8, y: one.y + one.h / 2 + 4, "text-anchor": is_left ? "end" : "start"}
      group.append(shape("text", {class: "name", ...at}, text))
      const go = () => want(one.page)
      group.addEventListener("click", go)
      group.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go() } })
      svg.append(group)
    }
    keep_focus(chart, () => chart.replaceChildren(svg))
    other.tell(() => [["From", "To", "Steps"], s.steps.map(([from, to, n]) => [from, to, n.toLocaleString()])])
  }
  const says = () => {
    const whole = s.steps.reduce((sum, step) => sum + step[2], 0), [first] = s.steps
    return `${whole.toLocaleString()} steps ${s.page === null ? "from page to page" : `to and from ${s.page}`}; most, ${first[2].toLocaleString()}, from ${first[0]} to ${first[1]}`
  }
  const show = () => {
    phased(card, model)
    if (model.state) s = JSON.parse(model.state)
    const is_failed = model.phase === "failed"
    empty.textContent = is_failed ? model.problem : "No steps from page to page in this span"
    empty.hidden = !is_failed && (model.phase === "loading" || s.steps.length > 0)
    chart.hidden = other.toggle.hidden = is_failed || s.steps.length === 0
    hint.textContent = s.page === null ? "the most frequent steps; click a page to follow it" : `to and from ${s.page}`
    all.hidden = s.page === null
    if (!chart.hidden) draw()
  }
  new ResizeObserver(() => { if (!chart.hidden) draw() }).observe(chart)
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
