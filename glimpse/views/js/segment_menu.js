// Saved segments: a button that opens their menu, and a chip for the one that is applied. Names are what somebody typed:
// they only ever become text.
const MOST_CHARS = 64

export function render({model, el}) {
  let count = 0
  const ask = (what) => { model.asked = JSON.stringify({...what, n: Date.now() + ++count}) }
  const row = make("div", "row")
  const opener = button("opener", null, () => set_open(menu.hidden))
  opener.append(make("span", "", "Segments"))
  opener.setAttribute("aria-expanded", "false")
  opener.setAttribute("aria-controls", "menu")
  const chip = make("span", "chip")
  const menu = make("div", "menu")
  menu.id = "menu"
  menu.hidden = true
  menu.setAttribute("role", "group")
  menu.setAttribute("aria-label", "Saved segments")
  const list = make("ul", "list")
  const note = make("p", "note")
  const form = make("form", "save")
  const preview = make("div", "preview clip")
  const name = make("input", "name")
  name.type = "text"
  name.maxLength = MOST_CHARS
  name.placeholder = "Save what is filtered as…"
  name.setAttribute("aria-label", "Name of the segment to save")
  name.autocomplete = "off"
  const put = make("button", "put", "Save")
  put.type = "submit"
  form.append(preview, name, put)
  const said = make("div", "said")
  said.setAttribute("role", "status")
  menu.append(list, note, form)
  row.append(opener, chip)
  el.append(row, said, menu)
  let s = {segments: [], applied: "", may_change: false, is_all: true}
  let renamed = "", doubted = ""  // the name that is being changed; the one whose cross was clicked once

  const set_open = (is_open) => {
    if (menu.hidden !== is_open) return
    menu.hidden = !is_open
    opener.setAttribute("aria-expanded", String(is_open))
    renamed = doubted = ""
    place_said()
    if (!is_open) return
    fill()
    ask({do: "read"})
    ;(list.querySelector("button") ?? name).focus()
  }
  const away = (event) => {
    if (!el.isConnected) for (const kind of ["pointerdown", "keydown"]) document.removeEventListener(kind, away)
    else if (menu.hidden) return
    else if (event.key === "Escape") { set_open(false); opener.focus() }
    else if (event.type === "pointerdown" && !event.composedPath().includes(menu) && !event.composedPath().includes(opener)) set_open(false)
  }
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, away)
  // What was done is said where it was done; what is wrong with the address, below the chip.
  const place_said = () => {
    if (menu.hidden) row.after(said)
    else menu.append(said)
    said.hidden = !said.textContent || (menu.hidden && !model.problem)
  }

  const rename_field = (one) => {
    const field = make("input", "rename")
    field.type = "text"
    field.maxLength = MOST_CHARS
    field.value = one.name
    field.setAttribute("aria-label", `New name of ${one.name}`)
    const end = () => { renamed = ""; fill() }
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault()
        ask({do: "rename", name: one.name, to: field.value})
        end()
      } else if (event.key === "Escape") {
        event.stopPropagation()
        end()
      }
    })
    field.addEventListener("blur", () => { if (renamed === one.name) end() })
    return field
  }
  const line = (one) => {
    const li = make("li")
    if (renamed === one.name) {
      li.append(rename_field(one))
      return li
    }
    const apply = button("apply", null, () => { ask({do: "apply", name: one.name}); set_open(false); opener.focus() })
    apply.append(make("span", "called clip", one.name), make("span", "means clip", one.of_all ? `all projects · ${one.text}` : one.text))
    apply.title = one.text
    apply.setAttribute("aria-pressed", String(one.name === s.applied))
    li.append(apply)
    if (!s.may_change || one.of_all) return li
    const change = button("small", "Rename", () => { renamed = one.name; fill(); list.querySelector(".rename")?.focus(); list.querySelector(".rename")?.select() })
    change.setAttribute("aria-label", `Rename ${one.name}`)
    const is_doubted = doubted === one.name
    const remove = button(is_doubted ? "small sure" : "small", is_doubted ? "Remove?" : "×", () => {
      if (is_doubted) ask({do: "remove", name: one.name})
      doubted = is_doubted ? "" : one.name
      fill()
      ;[...list.querySelectorAll("[data-remove]")].find((other) => other.dataset.remove === one.name)?.focus()
    })
    remove.dataset.remove = one.name
    remove.setAttribute("aria-label", is_doubted ? `Really remove ${one.name}` : `Remove ${one.name}`)
    li.append(change, remove)
    return li
  }
  const label_put = () => {
    const is_there = s.segments.some((one) => one.name === name.value.trim() && !one.of_all)
    put.textContent = is_there ? "Replace" : "Save"
    put.disabled = !name.value.trim() || !model.saves
  }
  const fill = () => {
    list.replaceChildren(...s.segments.map(line))
    list.hidden = s.segments.length === 0
    const can_save = s.may_change && !s.is_all
    form.hidden = !can_save
    name.disabled = !model.saves
    preview.textContent = model.saves
    preview.title = model.saves
    preview.hidden = !model.saves
    note.textContent = s.is_all
      ? "Segments belong to a project: choose one to see and save its own."
      : can_save && !model.saves ? "Filter by something, and it can be saved here under a name."
      : !s.segments.length && !can_save ? "No segments are saved for this project yet."
      : ""
    note.hidden = !note.textContent
    label_put()
  }
  const fill_chip = () => {
    chip.hidden = !s.applied
    if (!s.applied) return
    const one = s.segments.find((other) => other.name === s.applied)
    chip.dataset.state = s.is_waiting ? "waiting" : s.is_known ? "known" : "unknown"
    const text = button("text", null, () => ask({do: "open"}))
    text.append(make("span", "field", "Segment"), make("span", "value clip", s.applied))
    text.title = one ? `${one.text}\nClick to see and change its conditions` : s.applied
    text.setAttribute("aria-label", `Segment ${s.applied}: put its conditions into the bar`)
    text.disabled = !one
    const cross = button("cross", "×", () => ask({do: "drop"}))
    cross.setAttribute("aria-label", `Remove the segment ${s.applied}`)
    chip.replaceChildren(text, cross)
  }
  const show = () => {
    if (model.state) s = JSON.parse(model.state)
    fill_chip()
    if (!renamed) fill()
  }
  const say = () => {
    said.textContent = model.problem || model.told
    said.dataset.problem = String(Boolean(model.problem))
    place_said()
    if (!model.problem && model.told && !menu.hidden) {
      name.value = ""
      if (!el.getRootNode().activeElement) name.focus()
    }
    label_put()
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    if (!put.disabled) ask({do: "save", name: name.value})
  })
  name.addEventListener("input", label_put)
  show()
  say()
  model.on("state", show)
  model.on("saves", () => { if (!renamed) fill() })
  model.on("problem", say)
  model.on("told", say)
}
