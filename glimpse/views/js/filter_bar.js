// The filter bar. A chip says what is looked at: click it to change it, its cross takes it out. What is typed goes to the
// server as it is, which says what is wrong with it. Values are data: they only ever become text.
const NAMES = {name: "Event", page: "Page", source: "Source", country: "Country", region: "Region", city: "City", browser: "Browser", os: "System", device: "Device", channel: "Channel", session_id: "Session",
  "session.entry_page": "Entry page", "session.exit_page": "Exit page", "session.source": "Source", "session.channel": "Channel", "session.referrer": "Referrer",
  "session.utm_source": "UTM source", "session.utm_medium": "Medium", "session.utm_campaign": "Campaign"}
const EXAMPLES = ['country = "DE"', 'page starts with "/blog"', 'source = "google"', 'name = "purchase"', 'device = "phone"', 'session.pages >= 3', 'properties.plan = "pro"', 'utm_campaign exists']
const values = (chip) => chip.value.map((v) => chip.field.endsWith("country") ? country_name(v) : v).join(", ")

export function render({model, el}) {
  const bar = make("div", "bar")
  bar.setAttribute("role", "group")
  bar.setAttribute("aria-label", "Filter")
  const chips = make("span", "chips")
  const form = make("form", "form")
  const input = make("input", "input")
  input.type = "text"
  input.placeholder = "Search, or filter: country = \"DE\""
  input.setAttribute("aria-label", "Search, or add a condition")
  input.setAttribute("list", "examples")
  input.autocomplete = "off"
  input.spellcheck = false
  const examples = make("datalist")
  examples.id = "examples"
  examples.append(...EXAMPLES.map((text) => {
    const option = make("option")
    option.value = text
    return option
  }))
  form.append(input, examples)
  const clear = make("button", "clear", "Clear")
  clear.type = "button"
  const problem = make("div", "problem")
  problem.setAttribute("role", "alert")
  bar.append(chips, form, clear)
  el.append(bar, problem)

  let count = 0
  let sent = ""  // what the field had when it was sent
  const ask = (what) => { model.asked = JSON.stringify({...what, n: ++count + Date.now()}) }

  const edit = (chip, at, whole) => {
    const field = make("input", "edit")
    field.value = chip.text
    field.setAttribute("aria-label", "Change the condition")
    field.spellcheck = false
    whole.replaceChildren(field)
    field.focus()
    field.select()
    let is_over = false
    const end = () => {
      if (is_over) return
      is_over = true
      drawn = ""
      show()
    }
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") end()
      if (event.key !== "Enter") return
      is_over = true
      drawn = ""
      if (field.value.trim()) ask({do: "change", at, text: field.value})
      else ask({do: "remove", at})
      if (field.value.trim() === chip.text) show()
    })
    field.addEventListener("blur", end)
  }
  const draw = (chip, at) => {
    const whole = make("span", "chip")
    const text = make("button", "text")
    text.type = "button"
    text.title = chip.text
    if (chip.field) text.append(make("span", "field", NAMES[chip.field] ?? chip.field))
    if (chip.says) text.append(make("span", "says", chip.says))
    if (!chip.field && !chip.says) text.append(make("span", "says", "search"))
    if (chip.value.length) text.append(make("span", "value clip", values(chip)))
    text.setAttribute("aria-label", `Change ${text.innerText || chip.text}`)
    const cross = make("button", "cross", "×")
    cross.type = "button"
    cross.setAttribute("aria-label", `Remove ${chip.text}`)
    text.addEventListener("click", () => edit(chip, at, whole))
    cross.addEventListener("click", () => ask({do: "remove", at}))
    whole.append(text, cross)
    return whole
  }
  let drawn = ""
  const show = () => {
    const state = model.state || "[]"
    if (state === drawn) return
    drawn = state
    const all = JSON.parse(state)
    keep_focus(bar, () => chips.replaceChildren(...all.map(draw)))
    clear.hidden = all.length === 0
    if (input.value === sent) input.value = ""
  }
  const complain = () => {
    problem.textContent = without_fields(model.problem)
    // One with a mistake that stands in the address can be mended where it would have been typed.
    if (model.problem && model.where && !input.value && chips.children.length === 0) input.value = model.where
    problem.hidden = !model.problem
    input.setAttribute("aria-invalid", String(Boolean(model.problem)))
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    if (!input.value.trim()) return
    sent = input.value
    ask({do: "put", text: sent})
  })
  input.addEventListener("input", () => { problem.hidden = true })
  clear.addEventListener("click", () => {
    ask({do: "clear"})
    input.focus()
  })
  show()
  complain()
  model.on("state", show)
  model.on("problem", complain)
}
