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
