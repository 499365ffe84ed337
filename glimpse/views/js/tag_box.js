// The tag to put on a site's pages, ready to copy.
const tag_of = (sdk_url, project) => {
  const url = sdk_url || new URL("sdk/glimpse.js", location.href.split(/[?#]/)[0]).href
  return `<script defer src="${url}" data-project="${project}"></script>`
}
const tag_box = (tag) => {
  const box = make("div", "code"), code = make("code")
  const copy = button("copy", "Copy", async () => {
    try {
      await navigator.clipboard.writeText(tag())
    } catch {
      // Without a secure context there is no clipboard: select it, so that the keyboard can copy it.
      const range = document.createRange()
      range.selectNodeContents(code)
      const selection = box.getRootNode().getSelection?.() ?? getSelection()
      selection.removeAllRanges()
      selection.addRange(range)
      copy.textContent = "Selected"
      return
    }
    copy.textContent = "Copied"
    setTimeout(() => { copy.textContent = "Copy" }, 1600)
  })
  box.append(code, copy)
  return {box, show: () => { code.textContent = tag() }}
}
