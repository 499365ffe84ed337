// A tile for each Web Vital: its 75th percentile, on a scale of good, middling and poor. The band is told by a word and
// a shape too, not by colour alone.
const BANDS = {good: "● Good", middling: "▲ Middling", poor: "■ Poor"}

export function render({model, el}) {
  const card = make("section", "card")
  card.setAttribute("aria-label", "Web vitals")
  const tiles = make("div", "tiles")
  const how = make("div", "how")
  how.append(
    make("b", "", "No web vitals in this span"),
    make("span", "", "Browsers measure how fast a page was, and tell of it if the page's tag says so:"),
    make("code", "", "<script src=\"…/glimpse.js\" data-vitals data-errors></script>"),
  )
  const empty = make("div", "empty")
  card.append(tiles, how, empty)
  el.append(card)
  const tile = (one) => {
    const is_there = one.n > 0
    const box = make("div", "tile")
    box.dataset.metric = one.metric
    if (is_there) box.dataset.band = one.band
    const top = make("div", "top")
    top.append(make("b", "short", one.metric), make("span", "long clip", one.name))
    const now = make("div", "now")
    now.append(make("span", "value num", is_there ? written(one.metric, one.value) : "–"), make("span", "band", is_there ? BANDS[one.band] : ""))
    const scale = make("div", "scale")
    scale.append(make("i", "good"), make("i", "middling"), make("i", "poor"))
    if (is_there) {
      const mark = make("i", "mark")
      const {good_to, poor_from, value} = one
      const part = value <= good_to ? value / good_to : value <= poor_from ? 1 + (value - good_to) / (poor_from - good_to) : 2 + Math.min(1, (value - poor_from) / poor_from)
      mark.style.left = `${Math.min(99, part / 3 * 100)}%`
      scale.append(mark)
    }
    scale.title = `Good up to ${written(one.metric, one.good_to)}, poor above ${written(one.metric, one.poor_from)}`
    const low = make("div", "low num", is_there ? `${Math.round(one.good * 100)}% good, of ${one.n.toLocaleString()}` : "not measured")
    if (one.before !== undefined) {
      const then = make("span", "then", one.before == null ? "not measured before" : `before ${written(one.metric, one.before)}${is_there && one.before ? `, ${changed(one.value / one.before - 1, "%")}` : ""}`)
      low.append(then)
    }
    box.append(top, now, scale, low)
    return box
  }
  const show = () => {
    phased(card, model)
    const all = model.state ? JSON.parse(model.state) : []
    const is_failed = model.phase === "failed"
    tiles.replaceChildren(...all.map(tile))
    const is_empty = all.length > 0 && all.every((one) => one.n === 0)
    tiles.hidden = is_failed || is_empty
    how.hidden = is_failed || !is_empty
    empty.textContent = is_failed ? model.problem : ""
    empty.hidden = !is_failed
  }
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
