// The chart's title, and which colour is which type of event. Names are data: they only ever become text.

export function render({model, el}) {
  const head = make("div", "head")
  const types = make("div", "types")
  const other = table_switch("Events per minute", (is_open) => { model.is_table = is_open })
  head.append(make("h2", "", "Events per minute"), types, other.toggle)
  el.append(head, other.region)
  let drawn = ""
  let count = 0
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {types: []}
    const key = JSON.stringify(s.types.map((t) => [t.slot, t.name]))
    if (key === drawn) return
    drawn = key
    keep_focus(types, () => types.replaceChildren(...s.types.map((t) => {
      const one = make(t.name == null ? "span" : "button", "type")
      if (t.name != null) {
        one.type = "button"
        one.addEventListener("click", () => { model.picked = JSON.stringify(["name", t.name, Date.now() + ++count]) })
      }
      const mark = make("i")
      mark.style.background = `var(--g-type-${t.slot})`
      one.append(mark, make("span", "clip", t.label))
      one.title = t.name == null ? "every other type" : `Filter by ${t.name}`
      return one
    })))
  }
  const minute = new Intl.DateTimeFormat(undefined, {hour: "2-digit", minute: "2-digit"})
  const fill = () => {
    other.show(model.is_table)
    if (!model.is_table || !model.minutes) return
    const {names, rows} = JSON.parse(model.minutes), at = other.region.scrollTop
    const lines = rows.map(([t, ...counts]) => [minute.format(t), ...counts.map((n) => n.toLocaleString())])
    other.region.replaceChildren(table_of("Events per minute", ["Minute", "All", ...names], lines))
    other.region.scrollTop = at
  }
  const figure = named_figure(el, ".g-bars")
  const name_figure = () => figure.say(model.state ? `Events per minute: ${JSON.parse(model.state).events.toLocaleString()} in 30 minutes, stacked by type` : "Events per minute")
  show()
  fill()
  name_figure()
  model.on("state", () => { show(); name_figure() })
  model.on("minutes", fill)
  model.on("is_table", fill)
  model.on("remove", figure.stop)
}
