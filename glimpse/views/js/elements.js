// What every script of a view is made with: elements whose content is text, never markup.
const make = (tag, name, text) => {
  const el = document.createElement(tag)
  if (name) el.className = name
  if (text != null) el.textContent = text
  return el
}
const button = (name, text, on_click) => {
  const el = make("button", name, text)
  el.type = "button"
  el.addEventListener("click", on_click)
  return el
}
// What says the same as before is left alone: else the browser would lay it out and paint it anew.
const write = (el, text) => {
  if (el.textContent !== text) el.textContent = text
}
// Has a box say whether it goes on to the right, for its end to fade; call what is returned when its content has changed.
const say_goes_on = (box) => {
  const look = () => { box.dataset.goes_on = String(box.scrollLeft + box.clientWidth < box.scrollWidth - 1) }
  box.addEventListener("scroll", look, {passive: true})
  new ResizeObserver(look).observe(box)
  return look
}
// Has a card of a stored answer look as it stands with it: asked for, failed, there. Its first answer has a shape to wait for.
const phased = (card, model) => {
  card.dataset.phase = model.phase
  card.dataset.known = String(Boolean(model.state))
  card.setAttribute("aria-busy", String(model.phase === "loading"))
  if (!card.again) {
    card.again = button("again", "Try again", () => { model.wanted = JSON.stringify({again: Date.now()}) })
    model.on("may_pass", () => phased(card, model))
  }
  if (model.phase === "failed" && model.may_pass) card.append(card.again)
  else card.again.remove()
}
// Does what changes a part, and leaves the keyboard where it was: on the same element if it is still there, or on the one
// that says the same now, or stands in its place.
const keep_focus = (box, change) => {
  const root = box.getRootNode(), held = root.activeElement
  const all = () => [...box.querySelectorAll("button, input, select, [tabindex]")]
  const says = (one) => one.dataset.key ?? one.getAttribute("aria-label") ?? one.textContent
  const at = held && box.contains(held) ? all().indexOf(held) : -1
  change()
  if (at < 0 || root.activeElement === held) return
  const now = all(), same = box.contains(held) ? held : now.find((one) => says(one) === says(held))
  const next = same ?? now[Math.min(at, now.length - 1)]
  next?.focus({preventScroll: true})
}
