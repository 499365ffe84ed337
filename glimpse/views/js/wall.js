// Keys of a wall display: arrows go on or back, Space holds it. Who wants less motion sees a scene until a key goes on.
export function render({model, el}) {
  const said = make("div", "said")
  said.setAttribute("role", "status")
  el.append(said)
  const press = (event) => {
    if (!el.isConnected) return document.removeEventListener("keydown", press)
    const by = {ArrowRight: 1, ArrowLeft: -1}[event.key]
    if (by) model.turned += by
    else if (event.key === " ") model.is_held = !model.is_held
    else return
    event.preventDefault()
  }
  document.addEventListener("keydown", press)
  const show = () => { said.textContent = model.is_held ? "Held: Space goes on, arrows turn" : "" }
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) model.is_held = true
  show()
  model.on("is_held", show)
}
