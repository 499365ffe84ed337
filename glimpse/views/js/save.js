// Buttons that ask for what a card says as a file, and save what comes.
const save_buttons = (model, want) => {
  const saves = make("div", "saves")
  for (const name of ["CSV", "Parquet"]) {
    const one = button("save", name, () => want({save: name.toLowerCase()}))
    one.setAttribute("aria-label", `Download as ${name}`)
    saves.append(one)
  }
  model.on("file", () => {
    const {name, type, content} = model.file
    if (!content) return
    const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
    const link = make("a")
    link.href = URL.createObjectURL(new Blob([bytes], {type}))
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  })
  return saves
}
