// The name, the project chooser, the pages, the light switch.
const ALL = "*"
const SVG = "http://www.w3.org/2000/svg"

const shape = (tag, attributes) => {
  const el = document.createElementNS(SVG, tag)
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value)
  return el
}
const icon = (...shapes) => {
  const svg = shape("svg", {viewBox: "0 0 24 24", width: 20, height: 20, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "aria-hidden": "true"})
  svg.append(...shapes)
  return svg
}
const mark = () => icon(
  shape("circle", {cx: 12, cy: 12, r: 10, opacity: 0.35}),
  shape("circle", {cx: 12, cy: 12, r: 6.2, opacity: 0.7}),
  shape("circle", {cx: 12, cy: 12, r: 2.6, fill: "currentColor", stroke: "none"}),
)
const sun = () => icon(shape("circle", {cx: 12, cy: 12, r: 4}), shape("path", {d: "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4"}))
const moon = () => icon(shape("path", {d: "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z"}))

export function render({model, el}) {
  const bar = make("div", "bar")
  const brand = make("div", "brand")
  brand.append(mark(), make("h1", "word", "Glimpse"))
  const chooser = make("label", "chooser")
  const select = make("select")
  select.setAttribute("aria-label", "Project")
  chooser.append(select)
  const light = make("button", "light")
  light.type = "button"
  const nav = make("nav", "nav")
  nav.setAttribute("aria-label", "Pages")
  const pages = Object.entries(model.views).map(([key, name]) => {
    const one = make("button", "page", name)
    one.type = "button"
    one.dataset.view = key
    one.addEventListener("click", () => { model.view = key })
    return one
  })
  if (pages.length > 1) nav.append(...pages)
  say_goes_on(nav)
  // On a phone not all fit: the one that is open is in the middle, where it can be.
  const show_page = (one) => { nav.scrollLeft = one.offsetLeft - nav.offsetLeft - (nav.clientWidth - one.offsetWidth) / 2 }
  const mark_page = () => {
    for (const one of pages) {
      if (one.dataset.view !== model.view) one.removeAttribute("aria-current")
      else {
        one.setAttribute("aria-current", "page")
        show_page(one)
      }
    }
    // A notebook's title is its own.
    if (window.glimpse_page) document.title = model.views[model.view] ? `${model.views[model.view]} · Glimpse` : "Glimpse"
  }
  bar.append(brand, chooser, nav, light)
  el.append(bar)

  const fill = () => {
    const names = [...new Set([ALL, ...model.projects, model.project])]
    select.replaceChildren(...names.map((name) => {
      const option = make("option", "", name === ALL ? "All projects" : name)
      option.value = name
      return option
    }))
    select.value = model.project
  }
  const paint = () => {
    const is_dark = model.theme === "dark"
    light.replaceChildren(is_dark ? sun() : moon())
    light.title = is_dark ? "Light theme" : "Dark theme"
    light.setAttribute("aria-label", light.title)
  }
  select.addEventListener("change", () => { model.project = select.value })
  light.addEventListener("click", () => { model.theme = model.theme === "dark" ? "light" : "dark" })
  fill()
  paint()
  mark_page()
  new ResizeObserver(mark_page).observe(nav)
  model.on("view", mark_page)
  model.on("projects", fill)
  model.on("project", fill)
  model.on("theme", paint)
}
