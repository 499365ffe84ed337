// One session's journey: each page and event with the time since the one before, its properties when asked for, and the
// whole of it played as it happened. Event data only ever becomes text.
const SVG = "http://www.w3.org/2000/svg"
const SEEN = [150, 84]  // how much of the small map is seen, in units: some hundred degrees
const SPEEDS = [1, 2, 5, 10, 30, 60]
const LONGEST_WAIT_MS = 4000  // however long nothing happened

// The place of the session in the middle of a piece of the world.
function small_map(land) {
  const shape = (tag, attributes) => {
    const one = document.createElementNS(SVG, tag)
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value)
    return one
  }
  const svg = shape("svg", {class: "map", role: "img", preserveAspectRatio: "xMidYMid slice"})
  const dot = shape("g", {class: "here"})
  dot.append(shape("circle", {r: 7, class: "glow"}), shape("circle", {r: 2.6}))
  svg.append(shape("path", {d: land, class: "land"}), dot)
  const show = (at, whole, name) => {
    svg.classList.toggle("away", !at)
    if (!at) return
    const left = Math.max(0, Math.min(whole - SEEN[0], at[0] - SEEN[0] / 2))
    svg.setAttribute("viewBox", `${left} ${at[1] - SEEN[1] / 2} ${SEEN[0]} ${SEEN[1]}`)
    svg.setAttribute("aria-label", `Map: ${name}`)
    dot.setAttribute("transform", `translate(${at[0]} ${at[1]})`)
  }
  return {svg, show}
}

export function render({model, el}) {
  const card = make("section", "card")
  card.setAttribute("aria-label", "Journey")
  const head = make("div", "head")
  const who = make("div", "who clip")
  const titles = make("div", "titles")
  titles.append(make("h2", "", "Journey"), who)
  const player = make("div", "player")
  const play = make("button", "play", "Play")
  play.type = "button"
  const speed = make("select", "speed")
  speed.setAttribute("aria-label", "Speed")
  speed.append(...SPEEDS.map((times) => {
    const option = make("option", "", `${times}×`)
    option.value = times
    return option
  }))
  speed.value = "10"
  player.append(play, speed)
  const map = small_map(model.land)
  head.append(map.svg, titles, player)
  const track = make("div", "track")
  track.setAttribute("aria-hidden", "true")  // the list below says the same
  const list = make("ol", "list")
  list.tabIndex = 0
  list.setAttribute("aria-label", "What happened, in order")
  const empty = make("div", "empty")
  card.append(head, track, list, empty)
  el.append(card)

  let s = {session: "", steps: []}
  let timer = null, at = -1

  const properties = (step) => {
    const entries = Object.entries(step.properties ?? {})
    if (entries.length === 0) return null
    const more = make("details")
    const table = make("dl")
    for (const [key, value] of entries) table.append(make("dt", "", key), make("dd", "", typeof value === "string" ? value : JSON.stringify(value)))
    more.append(make("summary", "", entries.length === 1 ? "1 property" : `${entries.length} properties`), table)
    return more
  }
  const draw = (step, i) => {
    const li = make("li", step.name === "page_view" ? "step page" : "step")
    const since = i ? step.time - s.steps[i - 1].time : 0
    const clock = new Intl.DateTimeFormat(undefined, {timeStyle: "medium", timeZone: s.tz})
    const body = make("div", "body")
    const top = make("div", "top")
    top.append(make("b", "name clip", step.label), make("span", "at clip", step.page ?? ""))
    body.append(top)
    const more = properties(step)
    if (more) body.append(more)
    const times = make("div", "times num")
    const time = make("time", "", clock.format(step.time))
    time.dateTime = new Date(step.time).toISOString()
    times.append(time, make("span", "since", i ? `+${lasting_ms(since)}` : "start"))
    li.append(times, make("i", "dot"), body)
    return li
  }
  const draw_track = () => {
    const first = s.steps[0]?.time ?? 0, whole = Math.max(1, (s.steps.at(-1)?.time ?? 0) - first)
    track.replaceChildren(...s.steps.map((step) => {
      const mark = make("i", step.name === "page_view" ? "page" : "")
      mark.style.left = `${(step.time - first) / whole * 100}%`
      return mark
    }))
  }
  const mark = () => {
    for (const [i, li] of [...list.children].entries()) {
      li.classList.toggle("later", at >= 0 && i > at)
      li.classList.toggle("now", i === at)
    }
    for (const [i, one] of [...track.children].entries()) one.classList.toggle("later", at >= 0 && i > at)
    if (at >= 0) list.children[at]?.scrollIntoView({block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"})
  }
  const stop = () => {
    clearTimeout(timer)
    timer = null
    play.textContent = "Play"
    play.setAttribute("aria-pressed", "false")
  }
  const go_on = () => {
    at += 1
    mark()
    if (at >= s.steps.length - 1) {
      stop()
      at = -1
      return
    }
    const wait = (s.steps[at + 1].time - s.steps[at].time) / Number(speed.value)
    timer = setTimeout(() => el.isConnected && go_on(), Math.min(Math.max(30, wait), Number(speed.value) === 1 ? Infinity : LONGEST_WAIT_MS))
  }
  // Another speed holds for what is waited for now: at 1x that may be minutes.
  speed.addEventListener("change", () => {
    if (timer == null) return
    clearTimeout(timer)
    at -= 1
    go_on()
  })
  play.addEventListener("click", () => {
    if (timer != null) return stop()
    play.textContent = "Pause"
    play.setAttribute("aria-pressed", "true")
    timer = 0
    go_on()
  })
  let drawn = ""
  const show = () => {
    phased(card, model)
    if (model.state && model.state !== drawn) {
      drawn = model.state
      const before = s
      s = JSON.parse(drawn)
      stop()
      at = -1
      // Of the same session, what the viewer has opened stays open.
      const opened = new Set(before.session === s.session ? [...list.children].flatMap((li, i) => li.querySelector("details")?.open ? [before.steps[i].time] : []) : [])
      list.replaceChildren(...s.steps.map(draw))
      for (const [i, li] of [...list.children].entries()) if (opened.has(s.steps[i].time)) li.querySelector("details")?.setAttribute("open", "")
      draw_track()
      const facts = s.who ?? {}
      const where = [facts.city ?? facts.region, country_name(facts.country)].filter(Boolean).join(", ")
      map.show(s.at, model.whole, where || "Unknown place")
      who.textContent = [where, s.session && (facts.source ?? "Direct"), [facts.browser, facts.os].filter(Boolean).join(" on ")].filter(Boolean).join(" · ")
    }
    player.hidden = track.hidden = s.steps.length < 2
    empty.hidden = s.steps.length > 0 && model.phase !== "failed"
    empty.textContent = model.phase === "failed" ? model.problem : !s.session ? "Choose a session to see what happened in it." : "Nothing is stored of this session"
  }
  show()
  for (const name of ["state", "phase", "problem"]) model.on(name, show)
}
