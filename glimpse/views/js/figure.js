// Bokeh's figure beside a part gets a name for screen readers. Its canvas is no stop for the Tab key, as no key does
// anything there; its tools are buttons.
const LOOK_EVERY_MS = 250
const named_figure = (el, selector) => {
  let host = null, canvas = null, said = ""
  const look = (root) => {
    for (const one of root.querySelectorAll("*")) {
      if (one.shadowRoot) look(one.shadowRoot)
      if (one.matches(".bk-events")) canvas = one
      if (one.matches(".bk-ClickButton, .bk-OnOffButton")) one.setAttribute("role", "button")
    }
  }
  const find = () => {
    host = el.getRootNode().host?.parentNode?.querySelector?.(selector)
    if (host?.shadowRoot) look(host.shadowRoot)
    canvas?.removeAttribute("tabindex")
    host?.setAttribute("role", "figure")
    host?.setAttribute("aria-label", said)
  }
  // It is drawn after this, and anew where a notebook shows it elsewhere.
  const timer = setInterval(() => {
    if (!canvas?.isConnected || canvas.tabIndex !== -1) find()
  }, LOOK_EVERY_MS)
  const say = (text) => {
    said = text
    if (host?.ariaLabel !== text) host?.setAttribute("aria-label", text)
  }
  return {say, stop: () => clearInterval(timer)}
}
