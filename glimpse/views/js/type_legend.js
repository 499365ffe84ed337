// The chart's title, and which colour is which type of event. Names are data: they only ever become text.
const make = (tag, name, text) => {
  const el = document.createElement(tag)
  if (name) el.className = name
  if (text != null) el.textContent = text
  return el
}

export function render({model, el}) {
  const head = make("div", "head")
  const types = make("div", "types")
  head.append(make("h2", "", "Events per minute"), types)
  el.append(head)
  let drawn = ""
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {types: []}
    const key = JSON.stringify(s.types.map((t) => [t.slot, t.name]))
    if (key === drawn) return
    drawn = key
    types.replaceChildren(...s.types.map((t) => {
      const one = make("span", "type")
      const mark = make("i")
      mark.style.background = `var(--g-type-${t.slot})`
      one.append(mark, make("span", "clip", t.label))
      one.title = t.name ?? "every other type"
      return one
    }))
  }
  show()
  model.on("state", show)
}
