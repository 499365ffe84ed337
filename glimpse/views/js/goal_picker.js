// The goal of a page: a field with the events and pages that there are. Values are data: they only ever become text.
export function render({model, el}) {
  let count = 0
  const want = (what) => { model.wanted = JSON.stringify({...what, n: Date.now() + ++count}) }
  const form = make("form", "form")
  const label = make("label", "label")
  const field = make("input", "field")
  field.type = "text"
  field.placeholder = "an event or a page"
  field.setAttribute("list", "offered")
  field.autocomplete = "off"
  field.spellcheck = false
  const offered = make("datalist")
  offered.id = "offered"
  label.append(make("span", "word", "Goal"), field)
  const cross = button("cross", "×", () => { field.value = ""; want({goal: ""}); field.focus() })
  cross.setAttribute("aria-label", "Remove the goal")
  const problem = make("div", "problem")
  problem.setAttribute("role", "alert")
  form.append(label, offered, cross)
  el.append(form, problem)
  const put = () => { if (field.value.trim() !== model.goal) want({goal: field.value}) }
  form.addEventListener("submit", (event) => { event.preventDefault(); put() })
  field.addEventListener("change", put)
  field.addEventListener("focus", () => want({offer: true}))
  const show = () => {
    const root = el.getRootNode()
    if (root.activeElement !== field || !field.value) field.value = model.goal
    cross.hidden = !model.goal
    problem.textContent = model.mistake ? without_fields(model.mistake) : model.phase === "failed" ? model.problem : ""
    problem.hidden = !problem.textContent
    field.setAttribute("aria-invalid", String(Boolean(model.mistake)))
    if (!model.state) return
    offered.replaceChildren(...JSON.parse(model.state).map((value) => {
      const option = make("option")
      option.value = value
      return option
    }))
  }
  show()
  for (const name of ["state", "phase", "problem", "goal", "mistake"]) model.on(name, show)
}
