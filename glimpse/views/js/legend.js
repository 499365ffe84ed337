// What lies on the map: its title, which layer is shown, what size and colour mean, where the data is from.

export function render({model, el}) {
  const over = make("div", "over")
  const title = make("div", "title")
  const counts = make("span", "hint")
  const layers = make("div", "layers")
  layers.setAttribute("role", "group")
  layers.setAttribute("aria-label", "What the map shows")
  const choices = Object.entries(model.layers).map(([key, name]) => {
    const one = button("layer", name, () => { model.layer = key })
    one.dataset.layer = key
    return one
  })
  layers.append(...choices)
  const arcs = button("arcs", "Arcs", () => { model.arcs = !model.arcs })
  arcs.title = "Arcs lead from each country where somebody is to where the site is at home"
  title.append(make("h2", "", "Live map"), counts)

  // A phone has room for it only when it is asked for.
  const keys = make("details", "keys")
  keys.open = !window.matchMedia("(max-width: 720px)").matches
  const body = make("div", "body")
  keys.append(make("summary", "", "Legend"), body)
  const sizes = make("div", "sizes")
  const draw_sizes = (all) => {
    const nest = make("span", "nest")
    const largest = Math.max(...all.map(([, px]) => px))
    nest.style.width = nest.style.height = `${largest}px`
    nest.append(...all.map(([, px]) => {
      const dot = make("i")
      dot.style.width = dot.style.height = `${px}px`
      return dot
    }))
    sizes.replaceChildren(nest, make("span", "", `${all.map(([n]) => n).join(", ")} ${is_span ? "" : "open "}sessions`))
  }
  const of_dots = make("div", "of-dots")
  const WINDOW = [["active", "somebody is active"], ["idle", "open, but idle"], ["gone", "visitors have left"], ["ring", "new event"]]
  const SPAN = [["active", "somebody is active now"], ["idle", "sessions of the span"], ["ring", "new event"]]
  const draw_marks = () => of_dots.replaceChildren(...(is_span ? SPAN : WINDOW).map(([name, text]) => {
    const mark = make("span", "mark", text)
    mark.prepend(make("i", name))
    return mark
  }), sizes, make("p", "", "Near places share a dot: click it."))
  let is_span = false  // another one than the live window
  draw_marks()
  const of_shades = make("div", "of-shades")
  const of_arcs = make("span", "mark of-arcs", "from a country to your site")
  of_arcs.prepend(make("i", "arc"))
  body.append(of_dots, of_shades, of_arcs)
  const draw_shades = ({steps, elsewhere}) => {
    const what = model.layer === "events" ? ["event", "events"] : ["session", "sessions"]
    const rows = steps.map((from, i) => {
      const to = steps[i + 1] - 1
      const mark = make("span", "mark", i === steps.length - 1 ? `${number(from)} or more` : to === from ? number(from) : `${number(from)} to ${number(to)}`)
      const swatch = make("i", "swatch")
      swatch.style.background = `var(--g-shade-${i})`
      mark.prepend(swatch)
      return mark
    })
    const words = is_span ? `${model.layer === "events" ? "Events" : "Sessions"} of the span`
      : model.layer === "events" ? "Events of the last 30 minutes" : "Sessions that are open now"
    of_shades.replaceChildren(make("b", "", words), ...(rows.length ? rows : [make("span", "", "none in any country")]))
    if (elsewhere) of_shades.append(make("span", "", `${plural(elsewhere, ...what)} in places too small for this map`))
  }

  const source = make("div", "source")
  const link = make("a", "", "IP Geolocation by DB-IP")
  link.href = "https://db-ip.com"
  link.target = "_blank"
  link.rel = "noopener noreferrer"
  source.append(link, document.createTextNode(" · Natural Earth"))
  const other = table_switch("Live map", (is_open) => { model.is_table = is_open }, "map")
  const tools = make("div", "tools")
  const more = make("div", "more")
  more.append(arcs, other.toggle)
  tools.append(layers, more)
  over.append(title, tools, keys, source, other.region)
  el.append(over)

  let clicks = 0
  const row = ([field, value, name, code, here, active, events]) => {
    const land = country_name(code) ?? "Unknown place"
    const one = button("", name ?? land, () => { model.picked = JSON.stringify([field, value, Date.now() + ++clicks]) })
    one.title = `Filter by ${one.textContent}`
    return [one, ...(model.layer === "places" ? [land] : []), ...[here, active, events].map((n) => number(n))]
  }
  const fill = () => {
    other.show(model.is_table)
    over.dataset.as = model.is_table ? "table" : "chart"
    const root = el.getRootNode()
    // Who goes through the lines with the keyboard is not thrown back by what comes in.
    if (!model.is_table || !model.rows || other.region.contains(root.activeElement)) return
    const are_places = model.layer === "places", at = other.region.scrollTop
    const columns = [are_places ? "Place" : "Country", ...(are_places ? ["Country"] : []), ...(is_span ? ["Sessions", "Active now", "Events"] : ["Sessions now", "Active", "Events in 30 min"])]
    other.region.replaceChildren(table_of("Live map", columns, JSON.parse(model.rows).map(row), are_places ? 2 : 1))
    other.region.scrollTop = at
  }

  let drawn = ""
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {places: 0, sessions: 0, unlocated: 0}
    if (is_span !== Boolean(s.is_span)) {
      is_span = Boolean(s.is_span)
      drawn = ""
      draw_marks()
    }
    for (const one of choices) one.setAttribute("aria-pressed", String(one.dataset.layer === model.layer))
    if (s.sizes && String(s.sizes) !== drawn) {
      draw_sizes(s.sizes)
      drawn = String(s.sizes)
    }
    arcs.hidden = !model.has_home
    arcs.setAttribute("aria-pressed", String(model.arcs))
    of_arcs.hidden = !(model.has_home && model.arcs)
    of_dots.hidden = !s.sizes
    of_shades.hidden = !s.steps
    if (s.steps && String([s.steps, s.elsewhere, model.layer]) !== drawn) {
      draw_shades(s)
      drawn = String([s.steps, s.elsewhere, model.layer])
    }
    keys.hidden = !s.dots
    counts.classList.toggle("none", s.sessions === 0)
    write(counts, s.sessions === 0 ? is_span ? "No session in this span" : "Nobody is here right now"
      : `${plural(s.sessions, "session", "sessions")} in ${plural(s.places, "place", "places")}` +
        (s.unlocated ? ` · ${number(s.unlocated)} of unknown place` : ""))
  }
  const figure = named_figure(el, ".g-canvas")
  const name_figure = () => figure.say(`Live map: ${counts.textContent}`)
  show()
  fill()
  name_figure()
  for (const name of ["state", "layer", "arcs", "has_home"]) model.on(name, () => { show(); name_figure() })
  for (const name of ["rows", "is_table"]) model.on(name, fill)
  model.on("remove", figure.stop)

  // The map's figure says what it looks at, perhaps before this is drawn.
  const tell = (event) => {
    const frame = window.glimpse_frames?.[model.token]
    if (!frame || (event && event.detail !== model.token)) return
    model.frame = frame
    model.spot = window.glimpse_spots[model.token]
  }
  window.addEventListener("glimpse-frame", tell)
  model.on("remove", () => window.removeEventListener("glimpse-frame", tell))
  tell()
}
