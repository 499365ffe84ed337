// What an empty dashboard shows: the tag that makes a site speak, ready to copy.
const make = (tag, name, text) => {
  const el = document.createElement(tag)
  if (name) el.className = name
  if (text != null) el.textContent = text
  return el
}

export function render({model, el}) {
  const back = make("div", "back")
  const card = make("div", "box")
  const code = make("code")
  const copy = make("button", "copy", "Copy")
  copy.type = "button"
  const box = make("div", "code")
  box.append(code, copy)
  card.append(
    make("h2", "", "Waiting for the first event"),
    make("p", "", "Put this tag into the pages of your site. Visitors show up here, as dots on the map, the moment they arrive."),
    box,
  )
  back.append(card)
  el.append(back)

  const tag = () => {
    const url = model.sdk_url || new URL("sdk/glimpse.js", location.href.split(/[?#]/)[0]).href
    const project = model.project === "*" ? "my-site" : model.project
    return `<script defer src="${url}" data-project="${project}"></script>`
  }
  const show = () => {
    back.hidden = !model.is_shown
    code.textContent = tag()
  }
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(tag())
    } catch {
      // Without a secure context there is no clipboard: select it, so that the keyboard can copy it.
      const range = document.createRange()
      range.selectNodeContents(code)
      const selection = el.getRootNode().getSelection?.() ?? getSelection()
      selection.removeAllRanges()
      selection.addRange(range)
      copy.textContent = "Selected"
      return
    }
    copy.textContent = "Copied"
    setTimeout(() => { copy.textContent = "Copy" }, 1600)
  })
  show()
  for (const name of ["is_shown", "project", "sdk_url"]) model.on(name, show)
}
