// Tabs as the keyboard expects them: one stop for the Tab key, arrows, Home and End go on to the others. What they choose
// between is the panel, which says so to a screen reader. Names are data: they only ever become text.
const tab_list = (panel, choose) => {
  const list = make("div", "tabs")
  list.setAttribute("role", "tablist")
  list.addEventListener("keydown", (event) => {
    const all = [...list.children], at = all.indexOf(event.target)
    const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1}[event.key]
    if (to == null || at < 0) return
    event.preventDefault()
    const one = all[(to + all.length) % all.length]
    one.focus()
    one.click()
  })
  // Where there are more of them than fit, its end fades, and a wheel turns them.
  const look = say_goes_on(list)
  list.addEventListener("wheel", (event) => {
    if (list.scrollWidth <= list.clientWidth || event.deltaX) return
    event.preventDefault()
    list.scrollLeft += event.deltaY
  })
  let names = []
  // `titles` says what a name stands for.
  const show = (all, chosen, titles = {}) => {
    if (all.join("\n") !== names.join("\n")) {
      names = [...all]
      list.replaceChildren(...names.map((name, at) => {
        const one = button("tab", name, () => choose(name))
        one.id = `tab-${at}`
        one.setAttribute("role", "tab")
        if (titles[name]) one.title = titles[name]
        return one
      }))
      look()
    }
    list.hidden = names.length < 2
    const at = Math.max(0, names.indexOf(chosen))
    for (const [i, one] of [...list.children].entries()) {
      one.setAttribute("aria-selected", String(i === at))
      one.tabIndex = i === at ? 0 : -1
    }
    if (list.hidden) {
      for (const name of ["role", "aria-labelledby"]) panel.removeAttribute(name)
      return
    }
    panel.setAttribute("role", "tabpanel")
    panel.setAttribute("aria-labelledby", `tab-${at}`)
  }
  return {list, show}
}
