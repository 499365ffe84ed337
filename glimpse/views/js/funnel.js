// A funnel: a field for each step, and below it a bar with how many sessions came to it and how many were lost on the
// way. What is typed goes to the server as it is. Values are data: they only ever become text.
const MOST = 8
const within = (s) => s === 0 ? "any time in the session" : `within ${lasting(s)}`
const percent = (share) => share > 0 && share < 0.01 ? "<1%" : `${Math.round(share * 100)}%`

export function render({model, el}) {
  let count = 0
  const card = make("section", "card")
  card.setAttribute("aria-label", "Funnel")
  const head = make("div", "head")
  const limit = make("select", "limit")
  limit.setAttribute("aria-label", "How long it may take")
  const list = make("ol", "list")
  const add = make("form", "add")
  const field = make("input", "field")
  field.placeholder = "Add a step: an event, a page, or country = \"DE\""
  field.setAttribute("aria-label", "Add a step")
  field.setAttribute("list", "offered")
  field.autocomplete = "off"
  const offered = make("datalist")
  offered.id = "offered"
  const put = make("button", "put", "Add")
  put.type = "submit"
  add.append(field, offered, put)
  const problem = make("div", "problem")
  problem.setAttribute("role", "alert")
  const empty = make("div", "empty")
  card.append(head, list, add, problem, empty)
  el.append(card)
  const other = as_table(card, list, "Funnel")
  head.append(make("h2", "", "Funnel"), other.toggle, limit)
  list.removeAttribute("role")  // it is a list that can be read, too

  let s = {steps: [], within_s: 0, limits_s: [], offered: []}
  let typed = []  // as it was asked for last, which may be with a mistake
  let drawn = ""
  const want = (steps) => {
    typed = steps
    model.wanted = JSON.stringify({steps, within_s: Number(limit.value || 0), n: Date.now() + ++count})
  }
  const change = (at, text) => want(text.trim() ? typed.map((one, i) => i === at ? text : one) : typed.filter((_, i) => i !== at))
  const line = (text, at) => {
    const step = s.steps[at]?.typed === text ? s.steps[at] : null
    const li = make("li", "step")
    const top = make("div", "top")
    const input = make("input", "field")
    input.value = text
    input.title = step?.shown ?? text
    input.setAttribute("aria-label", `Step ${at + 1}`)
    input.setAttribute("list", "offered")
    input.autocomplete = "off"
    input.spellcheck = false
    input.addEventListener("change", () => change(at, input.value))
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") input.value = text
    })
    const cross = button("cross", "×", () => change(at, ""))
    cross.setAttribute("aria-label", `Remove step ${at + 1}`)
    top.append(make("span", "no num", String(at + 1)), input, cross)
    const low = make("div", "low")
    if (step) {
      const track = make("div", "track")
      const bar = make("i", "bar")
      bar.style.width = `${step.share * 100}%`
      track.append(bar)
      if (step.before) {
        const mark = make("i", "then")
        mark.style.left = `${step.before.share * 100}%`
        track.append(mark)
      }
      const lost = at > 0 ? s.steps[at - 1].sessions - step.sessions : 0
      const says = make("div", "says num")
      says.append(make("b", "", step.sessions.toLocaleString()), make("span", "share", percent(step.share)))
      if (at > 0) says.append(make("span", "lost", `−${lost.toLocaleString()} (${percent(1 - step.of_previous)})`))
      if (step.before) says.append(make("span", "before", at > 0 ? `before ${percent(step.before.share)}` : `before ${step.before.sessions.toLocaleString()}`))
      low.append(track, says)
    }
    li.append(top, low)
    return li
  }
  const show = () => {
    phased(card, model)
    const is_failed = model.phase === "failed"
    problem.textContent = is_failed ? without_fields(model.problem) : ""
    problem.hidden = !is_failed
    if (model.state && model.state !== drawn) {
      drawn = model.state
      s = JSON.parse(model.state)
      typed = s.steps.map((step) => step.typed)
      offered.replaceChildren(...s.offered.map((value) => {
        const option = make("option")
        option.value = value
        return option
      }))
    }
    if (limit.options.length !== s.limits_s.length) {
      limit.replaceChildren(...s.limits_s.map((value) => {
        const option = make("option", "", within(value))
        option.value = String(value)
        return option
      }))
      limit.value = String(s.within_s)
    }
    if (model.phase !== "loading") keep_focus(list, () => list.replaceChildren(...typed.map(line)))
    const is_compared = s.steps.some((step) => step.before)
    list.dataset.compared = String(is_compared)
    const before = (step) => is_compared ? [step.before?.sessions.toLocaleString() ?? "–", step.before ? percent(step.before.share) : "–"] : []
    other.tell(() => [["Step", "Sessions", "Of all", "Of the step before", ...(is_compared ? ["Sessions in the span before", "Of all then"] : [])], s.steps.map((step) => [step.shown, step.sessions.toLocaleString(), percent(step.share), percent(step.of_previous), ...before(step)])])
    add.hidden = typed.length >= MOST
    empty.textContent = "No events in this span"
    empty.hidden = typed.length > 0 || model.phase !== "ready"
  }
  add.addEventListener("submit", (event) => {
    event.preventDefault()
    if (!field.value.trim()) return
    want([...typed, field.value])
    field.value = ""
  })
  limit.addEventListener("change", () => want(typed))
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
