// Live, delayed or disconnected. That the server is lost only the browser can know: Bokeh says so when the WebSocket
// closes. Then this looks for the server, and loads the page anew once it answers.
const LOOK_FOR_SERVER_MS = 2000

export function render({model, el, view}) {
  const line = make("div", "line")
  line.setAttribute("role", "status")
  const mark = make("i", "mark")
  const word = make("b", "word")
  const more = make("span", "more clip")
  line.append(mark, word, more)
  el.append(line)

  let lost = false, lost_at = 0
  let skew = 0
  let s = {state: "live"}

  const show = () => {
    const state = lost ? "disconnected" : s.state
    // What goes on every second is there to be read, not to be called out: only another state is.
    line.setAttribute("aria-live", state === "live" && line.dataset.state === "live" ? "off" : "polite")
    more.setAttribute("aria-hidden", String(state === "delayed" && !s.problem))
    line.dataset.state = state
    if (lost) {
      word.textContent = "Disconnected"
      more.textContent = "looking for the server…"
    } else if (s.state === "delayed") {
      word.textContent = "Delayed"
      more.textContent = s.problem ?? `${s.lag_s} s behind`
    } else {
      word.textContent = "Live"
      const since = s.last == null ? null : Math.max(0, (Date.now() - skew - s.last) / 1000)
      more.textContent = since == null ? "waiting for events" : `last event ${ago(since)}`
    }
    line.title = more.textContent
  }
  const take = () => {
    if (model.state) s = JSON.parse(model.state)
    if (s.now != null) skew = Date.now() - s.now
    show()
  }

  // The page says in large what it must: what it shows is no longer so. See page.html.
  const tell = (state) => window.dispatchEvent(new CustomEvent("glimpse-line", {detail: {state, at: lost_at}}))
  const reload_when_back = async () => {
    if (!lost || !line.isConnected) return
    try {
      // Any answer will do: it means that a server is there again.
      await fetch(new URL("check", location.href), {cache: "no-store"})
      if (!lost) return
      tell("reload")
      location.reload()
    } catch {
      setTimeout(reload_when_back, LOOK_FOR_SERVER_MS)
    }
  }
  const doc = view?.model?.document
  doc?.on_event?.("connection_lost", () => {
    if (lost) return
    lost = true
    lost_at = Date.now()
    tell("lost")
    show()
    setTimeout(reload_when_back, LOOK_FOR_SERVER_MS)
  })
  doc?.on_event?.("client_reconnected", () => {
    lost = false
    tell("back")
    show()
  })

  take()
  model.on("state", take)
  const timer = setInterval(() => line.isConnected ? show() : clearInterval(timer), 1000)
}
