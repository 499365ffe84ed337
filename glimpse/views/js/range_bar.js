// Which time is looked at: usual spans, or one of one's own; in which zone; beside the time before or not.
const LIVE = "30m"
const SPANS = [[LIVE, "30 min"], ["1h", "1 h"], ["24h", "24 h"], ["7d", "7 d"], ["30d", "30 d"]]
const UNITS = {m: "min", h: "h", d: "d"}

export function render({model, el}) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC"
  const bar = make("div", "bar")
  bar.setAttribute("role", "group")
  bar.setAttribute("aria-label", "Time")
  const spans = make("div", "spans")
  for (const [key, name] of SPANS) {
    const one = button("span", name, () => { is_custom = false; model.until = ""; model.since = key })
    one.dataset.since = key
    one.setAttribute("aria-label", `The last ${name}`)
    spans.append(one)
  }
  const own = button("span", "Custom", () => { is_custom = !is_custom; show() })
  spans.append(own)
  const custom = make("form", "custom")
  const from = make("input"), to = make("input")
  for (const [field, name] of [[from, "From"], [to, "To"]]) {
    field.type = "datetime-local"
    field.required = field === from
    field.setAttribute("aria-label", name)
  }
  const told = make("p", "told")
  told.setAttribute("role", "status")
  const go = make("button", "span go", "Show")
  custom.append(from, make("span", "to", "to"), to, go)
  custom.addEventListener("submit", (event) => {
    event.preventDefault()
    model.until = to.value
    model.since = from.value
  })
  const compare = make("label", "compare")
  const box = make("input")
  box.type = "checkbox"
  box.addEventListener("change", () => { model.compare = box.checked ? "before" : "" })
  compare.append(box, make("span", "", "Compare with before"))
  const zones = make("select", "zones")
  zones.setAttribute("aria-label", "Time zone")
  const all = [...new Set([here, "UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])])]
  zones.append(...all.map((name) => {
    const option = make("option", "", name.replaceAll("_", " "))
    option.value = name
    return option
  }))
  zones.addEventListener("change", () => { model.tz = zones.value === here ? "" : zones.value })
  bar.append(spans, custom, compare, told, zones)
  el.append(bar)

  const since = () => model.since || (model.is_live ? LIVE : "24h")
  const is_usual = () => !model.until && SPANS.some(([key]) => key === since())
  const words = {"1h": "The last hour", "24h": "The last 24 hours", "7d": "The last 7 days", "30d": "The last 30 days"}
  const tell = () => {
    const is_stored = model.is_live && !(since() === LIVE && !model.until)
    const span = model.until ? "A span of time" : words[since()] ?? `Since ${model.since.replace("T", " ")}`
    told.dataset.state = !is_stored || !model.told ? "there" : model.told === "loading" ? "loading" : "failed"
    write(told, !is_stored ? "" : model.told === "loading" ? `${span}: asking the store …` : model.told ||
      (model.until ? `${span}, without who is here now` : `${span}, with who is here now`))
  }
  // A time back from now that is none of the usual ones, such as 6 h in an address, has no dates to be typed.
  const back = () => model.until || is_usual() ? null : /^(\d+)([mhd])$/.exec(since())
  let is_custom = !is_usual() && !back()
  const show = () => {
    const [live] = spans.children
    live.textContent = model.is_live ? "Live · 30 min" : "30 min"
    live.setAttribute("aria-label", model.is_live ? "Live, the last 30 minutes" : "The last 30 minutes")
    for (const one of spans.children) one.setAttribute("aria-pressed", String(!is_custom && !model.until && one.dataset.since === since()))
    own.textContent = back() ? `${back()[1]} ${UNITS[back()[2]]}` : "Custom"
    own.setAttribute("aria-label", back() ? `The last ${own.textContent}: choose another span` : "Custom")
    own.setAttribute("aria-pressed", String(is_custom || back() != null))
    own.setAttribute("aria-expanded", String(is_custom))
    custom.hidden = !is_custom
    compare.hidden = !model.can_compare
    if (/^\d{4}-/.test(model.since)) from.value = model.since.slice(0, 16)
    if (/^\d{4}-/.test(model.until)) to.value = model.until.slice(0, 16)
    box.checked = model.compare === "before"
    const zone = model.tz || here
    if (![...zones.options].some((option) => option.value === zone)) {
      const option = make("option", "", zone)
      option.value = zone
      zones.append(option)
    }
    zones.value = zone
    tell()
  }
  show()
  for (const name of ["since", "until", "tz", "compare", "can_compare", "is_live"]) model.on(name, show)
  model.on("told", tell)
  model.zone = here
}
