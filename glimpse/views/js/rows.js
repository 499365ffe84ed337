// A list of rows with buttons as the keyboard has it: one stop for the Tab key, arrows, Home and End within, Escape back to
// the list. Hundreds of rows would else be in everybody's way.
const arrow_rows = (list, what) => {
  list.setAttribute("aria-label", `${what}; arrow keys go through them`)
  list.tabIndex = 0
  list.addEventListener("keydown", (event) => {
    const rows = [...list.children].filter((row) => !row.hidden && row.querySelector("button"))
    const at = rows.findIndex((row) => row.contains(event.target))
    const of = (row) => [...row.querySelectorAll("button")], nth = at < 0 ? 0 : of(rows[at]).indexOf(event.target)
    const to = {ArrowDown: [at + 1, nth], ArrowUp: [at - 1, nth], ArrowRight: [at, nth + 1], ArrowLeft: [at, nth - 1], Home: [0, 0], End: [rows.length - 1, 0]}[event.key]
    if (event.key === "Escape" && at >= 0) list.focus()
    if (!to || !rows[to[0]]) return
    event.preventDefault()
    const all = of(rows[to[0]])
    all[Math.max(0, Math.min(to[1], all.length - 1))].focus()
  })
}
// Says how many rows a search has left, to those who don't see the list: once, when nothing is typed any more.
const SAID_AFTER_MS = 500
const say_found = (card) => {
  const said = make("span", "unseen")
  said.setAttribute("role", "status")
  card.append(said)
  let timer = null
  return (n, what) => {
    clearTimeout(timer)
    timer = setTimeout(() => { said.textContent = what ? plural(n, `row fits ${what}`, `rows fit ${what}`) : "" }, SAID_AFTER_MS)
  }
}
// Calls once nothing has come for a while: what is typed goes into the address as a whole.
const when_still = (call) => {
  let timer = null
  return () => {
    clearTimeout(timer)
    timer = setTimeout(call, SAID_AFTER_MS)
  }
}
// Puts what an address says into a search; what somebody has typed before the first answer stays.
const hear_search = (search, text, is_first) => {
  if (!is_first || !search.value) search.value = text
}
