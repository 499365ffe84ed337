// What lies on the map: its title, what size and colour mean, where the data is from.
const make = (tag, name, text) => {
  const el = document.createElement(tag)
  if (name) el.className = name
  if (text != null) el.textContent = text
  return el
}
const plural = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`

export function render({model, el}) {
  const over = make("div", "over")
  const title = make("div", "title")
  const counts = make("span", "hint")
  title.append(make("h2", "", "Live map"), counts)

  const keys = make("div", "keys")
  const ramp = make("div", "ramp")
  const ends = make("div", "ends")
  ends.append(make("span", "", "just now"), make("span", "", "5 min ago"))
  ramp.append(make("div", "", "Last event at a place"), make("div", "bar"), ends)
  const sizes = make("div", "sizes")
  const draw_sizes = (all) => {
    sizes.replaceChildren(...all.map(([n, px]) => {
      const one = make("span", "", n)
      const dot = make("i")
      dot.style.width = dot.style.height = `${px}px`
      one.prepend(dot)
      return one
    }), make("span", "", "active sessions"))
  }
  const marks = make("div", "marks")
  for (const [name, text] of [["ring", "new event"], ["gone", "visitors have left"]]) {
    const mark = make("span", "", text)
    mark.prepend(make("i", name))
    marks.append(mark)
  }
  keys.append(ramp, sizes, marks)

  const source = make("div", "source")
  const link = make("a", "", "IP Geolocation by DB-IP")
  link.href = "https://db-ip.com"
  link.target = "_blank"
  link.rel = "noopener noreferrer"
  source.append(link, document.createTextNode(" · Natural Earth"))
  over.append(title, keys, source)
  el.append(over)

  let drawn = ""
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {places: 0, sessions: 0, unlocated: 0}
    if (s.sizes && String(s.sizes) !== drawn) draw_sizes(s.sizes)
    drawn = String(s.sizes)
    keys.hidden = !s.dots
    counts.textContent = s.sessions === 0 ? "Nobody is here right now"
      : `${plural(s.sessions, "session", "sessions")} in ${plural(s.places, "place", "places")}` +
        (s.unlocated ? ` · ${s.unlocated.toLocaleString("en")} of unknown place` : "")
  }
  show()
  model.on("state", show)
}
