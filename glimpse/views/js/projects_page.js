// Projects: a list, and all that is set for the one that is chosen. Names and values are data: they only become text.
const TOLD = {
  waiting: ["Waiting for the first event", "Put the tag below into the site's pages and open one of them. This lights up when its event comes."],
  quiet: ["Events have come before", "None in the last 30 minutes."],
}

export function render({model, el}) {
  const whole = make("div", "whole")
  const left = make("div", "left"), right = make("section", "card right")
  const said = make("p", "said")
  said.setAttribute("role", "status")
  let s = {projects: [], rows: []}, chosen = "", added = "", drawn_for = null, count = 0
  const fields = new Map() // of the form that is drawn: field -> {control, wrong, saved}
  const want = (what) => { model.wanted = JSON.stringify({...what, n: Date.now() + ++count}) }
  const tell = (text, is_problem) => {
    said.textContent = text
    said.dataset.problem = String(Boolean(is_problem))
  }

  // -- adding ---------------------------------------------------------------------------------------------------------
  const adding = make("section", "card")
  const form = make("form", "add")
  const pair = make("div", "pair")
  const id = make("input")
  id.placeholder = "my-site"
  id.maxLength = 64
  id.autocomplete = "off"
  id.spellcheck = false
  id.setAttribute("aria-label", "Id of a new project")
  const add = make("button", "action main", "Add")
  add.type = "submit"
  const id_wrong = make("p", "wrong")
  id_wrong.id = "id-wrong"
  id_wrong.setAttribute("role", "alert")
  const note = make("p", "note hint")
  pair.append(id, add)
  form.append(pair, id_wrong, note)
  const add_head = make("div", "head")
  add_head.append(make("h2", "", "Add a project"))
  adding.append(add_head, form)
  const mark_wrong = (control, place, text) => {
    place.textContent = text ?? ""
    if (text) control.setAttribute("aria-invalid", "true")
    else control.removeAttribute("aria-invalid")
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    mark_wrong(id, id_wrong, "")
    want({do: "add", project: id.value.trim(), values: {}})
  })

  // -- the list -------------------------------------------------------------------------------------------------------
  const listed = make("section", "card")
  const list_head = make("div", "head")
  const total = make("span", "hint")
  list_head.append(make("h2", "", "Projects"), total)
  const list = make("ol", "list")
  listed.append(list_head, list)
  const rows = new Map()
  const choose = (project) => {
    chosen = project
    tell("")
    show()
  }
  const row_of = (project) => {
    const li = make("li")
    const row = button("row", null, () => choose(project))
    const text = make("span")
    const line = {li, row, lamp: make("i", "lamp"), name: make("span", "name clip"), now: make("span", "now num")}
    text.className = "clip"
    text.append(make("span", "id", project), document.createTextNode(" "), line.name)
    row.append(line.lamp, text, line.now)
    li.append(row)
    return line
  }
  const show_list = () => {
    const there = new Set(s.projects.map((one) => one.id))
    for (const [name, line] of rows) {
      if (there.has(name)) continue
      line.li.remove()
      rows.delete(name)
    }
    keep_focus(list, () => s.projects.forEach((one, i) => {
      if (!rows.has(one.id)) rows.set(one.id, row_of(one.id))
      const line = rows.get(one.id)
      line.lamp.dataset.state = one.state
      line.name.textContent = one.values.name ?? ""
      line.now.textContent = one.state === "live" ? `${one.events_last_minute.toLocaleString()} a minute` : one.state === "quiet" ? "quiet" : "no event yet"
      line.row.setAttribute("aria-pressed", String(one.id === chosen))
      if (list.children[i] !== line.li) list.insertBefore(line.li, list.children[i] ?? null)
    }))
    const registered = s.projects.filter((one) => one.is_registered).length
    total.textContent = s.is_open ? "none is registered: events of any are taken" : `${registered.toLocaleString()} registered`
    note.textContent = s.may_change
      ? s.is_open ? "Once one is registered, events of others are dropped." : "Letters, digits and . _ : - make an id."
      : "Projects are changed in a browser on the server's own machine, or with “glimpse project”."
    id.disabled = add.disabled = !s.may_change
  }

  // -- the one that is chosen ------------------------------------------------------------------------------------------
  const first = make("div", "first")
  const lamp = make("i", "lamp"), told = make("div")
  const first_title = make("b"), first_more = make("span")
  told.append(first_title, first_more)
  first_title.setAttribute("role", "status")  // the numbers below it change all the time
  const tag = tag_box(() => tag_of(s.sdk_url, chosen))
  const first_look = button("action", "Look at it live", () => {
    const url = new URL(location.href)
    url.search = new URLSearchParams({project: chosen}).toString()
    location.assign(url)
  })
  first.append(lamp, told, first_look)
  const current = () => s.projects.find((one) => one.id === chosen)
  const show_first = (one) => {
    if (first.dataset.state === "waiting" && one.state === "live" && first.dataset.of === one.id) {
      first.classList.add("lit")
      setTimeout(() => first.classList.remove("lit"), 1500)
    }
    first.dataset.of = one.id
    first.dataset.state = lamp.dataset.state = one.state
    const [title, more] = TOLD[one.state] ?? ["Events are coming in", `${one.events.toLocaleString()} in the last 30 minutes, ${one.events_last_minute.toLocaleString()} in the last one. ${one.here.toLocaleString()} here now.`]
    if (first_title.textContent !== title) first_title.textContent = title
    if (first_more.textContent !== more) first_more.textContent = more
  }
  const control_of = (row) => {
    if (row.choices.length) {
      const select = make("select")
      for (const choice of row.choices) {
        const option = make("option", "", choice)
        option.value = choice
        select.append(option)
      }
      return select
    }
    const control = make(row.many ? "textarea" : "input")
    if (row.many) control.rows = 2
    control.spellcheck = false
    control.autocomplete = "off"
    return control
  }
  const written = (row, text) => row.many ? text.split(",").join("\n") : text
  const read = (row, control) => row.many ? control.value.split("\n").map((part) => part.trim()).filter(Boolean).join(",") : control.value
  const draw_field = (row, value) => {
    const place = make("div")
    const control = control_of(row)
    const label = make("label", "label", row.word.replaceAll("-", " ").replace(/^./, (letter) => letter.toUpperCase()).replace("gpc", "GPC"))
    const help = make("p", "help", row.many ? `${row.help}; one a line` : row.help)
    const wrong = make("p", "wrong")
    control.id = `field-${row.field}`
    label.htmlFor = control.id
    help.id = `help-${row.field}`
    wrong.id = `wrong-${row.field}`
    wrong.setAttribute("role", "alert")
    control.setAttribute("aria-describedby", `${help.id} ${wrong.id}`)
    control.value = written(row, value)
    fields.set(row.field, {row, control, wrong, saved: value})
    place.append(label, control, help, wrong)
    return place
  }
  let is_sure = 0
  const remove = button("action risk", "Take off the list", () => {
    if (!is_sure) {
      remove.textContent = "Really? Its events stay"
      is_sure = setTimeout(() => { is_sure = 0; remove.textContent = "Take off the list" }, 4000)
      return
    }
    want({do: "remove", project: chosen})
  })
  const draw = (one) => {
    fields.clear()
    const head = make("div", "head")
    const title = make("div", "title")
    title.append(make("h2", "", one.id), make("span", "hint", one.is_registered ? "" : one.is_welcome ? "not registered; its events are taken" : "not registered; its events are dropped"))
    head.append(title)
    const body = make("div", "body")
    const snippet = make("div")
    snippet.append(make("span", "label", "The tag for its pages"), tag.box)
    tag.show()
    body.append(first, snippet)
    if (one.is_registered) {
      const settings = make("form")
      const group = make("fieldset", "fields")
      group.disabled = !s.may_change
      group.append(...s.rows.map((row) => draw_field(row, one.values[row.field] ?? "")))
      const save = make("button", "action main", "Save")
      save.type = "submit"
      const buttons = make("div", "buttons")
      if (s.may_change) buttons.append(save, said, remove)
      settings.addEventListener("submit", (event) => {
        event.preventDefault()
        const values = {}
        for (const [field, {row, control, saved}] of fields) if (read(row, control) !== saved) values[field] = read(row, control)
        for (const {control, wrong} of fields.values()) mark_wrong(control, wrong, "")
        if (Object.keys(values).length) want({do: "change", project: chosen, values})
        else tell("Nothing was changed.")
      })
      settings.append(group, buttons)
      settings.className = "body"
      settings.style.padding = "0"
      body.append(settings)
    } else if (s.may_change) {
      const buttons = make("div", "buttons")
      buttons.append(button("action main", "Register it", () => want({do: "add", project: chosen, values: {}})), said)
      body.append(buttons)
    }
    right.replaceChildren(head, body)
    right.setAttribute("aria-label", `Project ${one.id}`)
  }
  // What somebody is typing stays; what was saved elsewhere is taken up.
  const take_up = (one) => {
    for (const [field, entry] of fields) {
      const value = one.values[field] ?? ""
      if (value === entry.saved) continue
      if (read(entry.row, entry.control) === entry.saved || read(entry.row, entry.control) === value || entry.sent) entry.control.value = written(entry.row, value)
      entry.saved = value
      entry.sent = false
    }
  }
  const show = () => {
    if (model.state) s = JSON.parse(model.state)
    if (current()) added = ""
    if (!current() && chosen !== (added || null) && s.projects.length) chosen = (s.projects.find((one) => one.is_registered) ?? s.projects[0]).id
    show_list()
    const one = current()
    right.hidden = !one
    if (!one) return
    const key = JSON.stringify([one.id, one.is_registered, one.is_welcome, s.may_change])
    if (drawn_for !== key) draw(one)
    drawn_for = key
    take_up(one)
    show_first(one)
  }
  const hear = () => {
    const answer = model.answer ? JSON.parse(model.answer) : {}
    if (answer.done === "add") {
      chosen = added = answer.project  // the list may not have it yet
      id.value = ""
    }
    if (answer.done === "change" && answer.project === chosen) for (const entry of fields.values()) entry.sent = true
    if (answer.do === "add") mark_wrong(id, id_wrong, answer.errors.id)
    else if (answer.errors && answer.project === chosen) {
      for (const [field, {control, wrong}] of fields) mark_wrong(control, wrong, answer.errors[field])
      const at = [...fields.values()].find(({control}) => control.getAttribute("aria-invalid"))
      at?.control.focus()
    }
    tell(answer.told ?? (answer.errors ? "Not saved: see what is marked." : ""), answer.is_problem || answer.errors)
    if (answer.is_problem && !current()?.is_registered) mark_wrong(id, id_wrong, answer.told)
    show()
  }
  left.append(listed, adding)
  whole.append(left, right)
  el.append(whole)
  show()
  model.on("state", show)
  model.on("answer", hear)
}
