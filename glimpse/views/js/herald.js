// Says that the whole root is shown and takes changes: what a notebook sends earlier is lost, or half of it.
const LOOK_EVERY_MS = 20
const LOOK_FOR_MS = 120_000

export function render({model, view, el}) {
  el.style.display = "none"
  const until = Date.now() + LOOK_FOR_MS
  const takes_changes = () =>
    view.model.document?.roots().some(({id}) => window.PyViz?.plot_index?.[id] != null || id in Bokeh.index)
  const look = () => {
    if (takes_changes()) model.shown = Date.now()
    else if (Date.now() < until) setTimeout(look, LOOK_EVERY_MS)
  }
  look()
}
