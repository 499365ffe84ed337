// The chart's title, and which colour is which type of event. Names are data: they only ever become text.

export function render({model, el}) {
  const head = make("div", "head")
  const types = make("div", "types")
  head.append(make("h2", "", "Events per minute"), types)
  el.append(head)
  let drawn = ""
  let count = 0
  const show = () => {
    const s = model.state ? JSON.parse(model.state) : {types: []}
    const key = JSON.stringify(s.types.map((t) => [t.slot, t.name]))
    if (key === drawn) return
    drawn = key
    types.replaceChildren(...s.types.map((t) => {
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
    }))
  }
  show()
  model.on("state", show)
}
