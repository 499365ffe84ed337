// The chart's title, and which colour is which type of event. Names are data: they only ever become text.

export function render({model, el}) {
  const head = make("div", "head")
  const types = make("div", "types")
  const other = table_switch("Events per minute", (is_open) => { model.is_table = is_open })
  const title = make("h2", "", "Events per minute")
  head.append(title, types, other.toggle)
  el.append(head, other.region)
  let drawn = ""
  let count = 0
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {types: []}
    write(title, `Events per ${s.unit ?? "minute"}`)
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
  const minute = new Intl.DateTimeFormat(undefined, {timeStyle: "short"})
  const fill = () => {
    other.show(model.is_table)
    if (!model.is_table || !model.minutes) return
    const s = JSON.parse(model.minutes), {names, rows} = s, at = other.region.scrollTop
    const lines = rows.map(([t, ...counts]) => [s.unit ? step_time(s, t) : minute.format(t), ...counts.map((n) => n.toLocaleString())])
    other.region.replaceChildren(table_of(title.textContent, [s.unit ? "Time" : "Minute", "All", ...names], lines))
    other.region.scrollTop = at
  }
  const figure = named_figure(el, ".g-bars")
  const name_figure = () => {
    const s = model.state ? JSON.parse(model.state) : null
    figure.say(s ? `${title.textContent}: ${s.events.toLocaleString()} in ${s.unit ? "the span" : "30 minutes"}, stacked by type` : title.textContent)
  }
  show()
  fill()
  name_figure()
  model.on("state", () => { show(); name_figure() })
  model.on("minutes", fill)
  model.on("is_table", fill)
  model.on("remove", figure.stop)
}
