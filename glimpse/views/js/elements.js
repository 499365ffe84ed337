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
// Has a card of a stored answer look as it stands with it: asked for, failed, there. Its first answer has a shape to wait for.
const phased = (card, model) => {
  card.dataset.phase = model.phase
  card.dataset.known = String(Boolean(model.state))
  card.setAttribute("aria-busy", String(model.phase === "loading"))
  card.again ??= button("again", "Try again", () => { model.wanted = JSON.stringify({again: Date.now()}) })
  if (model.phase === "failed" && model.may_pass) card.append(card.again)
  else card.again.remove()
}
