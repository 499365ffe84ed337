"""A page walked with the Tab key alone, as somebody without a pointer does, and its accessibility tree."""

from __future__ import annotations

from typing import Any

from browsing import Page

MOST_STOPS = 400
# The Tab key goes on from where it was, also when nothing is focused: so begin before all.
_BEGIN = """() => {
  const start = document.createElement("i")
  start.tabIndex = -1
  document.body.prepend(start)
  start.focus()
  start.remove()
}"""
# What can be gone to, in the whole page: shadow roots too.
_FIND = """() => {
  window.saidOf = (el) => `${el.localName}.${el.getAttribute("class") ?? ""} ` +
    `“${(el.getAttribute("aria-label") ?? el.textContent).trim().slice(0, 40)}”`
  const found = []
  const look = (root) => {
    for (const el of root.querySelectorAll("*")) {
      if (el.shadowRoot) look(el.shadowRoot)
      const can_be = el.matches("button, input, select, textarea, a[href], summary, [tabindex]")
      if (!can_be || el.disabled || !el.checkVisibility({visibilityProperty: true})) continue
      const has_arrows = el.closest('[role="tablist"], ol[tabindex="0"]')  // which lead on from their one stop
      if (el.tabIndex >= 0 || (!has_arrows && el.matches("button, input, select, textarea"))) found.push(el)
    }
  }
  look(document)
  window.stops = found
  return found.length
}"""
_HERE = """() => {
  let el = document.activeElement
  while (el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement
  if (!el || el === document.body || el === document.documentElement) return null
  const is_seen = (one) => {
    const style = getComputedStyle(one)
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
  }
  let around = el, seen = false
  for (let i = 0; i < 4 && around?.nodeType === 1 && !seen; i++, around = around.parentNode) seen = is_seen(around)
  window.stopped = el
  return {
    at: window.stops.indexOf(el),
    what: saidOf(el),
    seen,
    tabindex: el.getAttribute("tabindex"),
  }
}"""
_LEFT = """(been) => window.stops.filter((el, i) => !been.includes(i) && el.isConnected
  && el.checkVisibility({visibilityProperty: true}))
  .map(saidOf)"""
NAMED = {
    *("button", "checkbox", "combobox", "link", "listbox", "menuitem", "searchbox", "slider", "spinbutton", "tab"),
    *("textbox", "Date", "DateTime", "DisclosureTriangle", "InputTime", "figure", "image", "img", "region", "tabpanel"),
}


def walk(page: Page) -> list[str]:
    """Go through a page with the Tab key, and return what is wrong with it."""
    page.evaluate(_BEGIN)
    there, been, wrong = page.evaluate(_FIND), [], []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        here = page.evaluate(_HERE)
        if here is None:  # past the last
            break
        if here["at"] >= 0 and here["at"] in been:
            if here["at"] != been[0]:
                wrong.append(f"the Tab key goes round at {here['what']}")
            break
        been.append(here["at"])
        if not here["seen"]:
            wrong.append(f"nothing shows that the keyboard is at {here['what']}")
        if (here["tabindex"] or "0") not in ("0", "-1"):
            wrong.append(f"{here['what']} has tabindex {here['tabindex']}")
    else:
        wrong.append(f"the Tab key finds no end among {there}")
    wrong += [f"the Tab key never comes to {what}" for what in page.evaluate(_LEFT, been)]
    return wrong


def nameless(page: Page) -> list[str]:
    """Return what a screen reader would find without a name: roles, with where they are."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    by_id = {node["nodeId"]: node for node in nodes}
    found = []
    for node in nodes:
        role = node.get("role", {}).get("value")
        can_be_gone_to = any(one["name"] == "focusable" for one in node.get("properties", ())) and role != "RootWebArea"
        has_a_name = str(node.get("name", {}).get("value", "")).strip()
        if node["ignored"] or has_a_name or not (can_be_gone_to or role in NAMED):
            continue
        above = by_id.get(node.get("parentId", ""), {})
        while above and not above.get("name", {}).get("value"):
            above = by_id.get(above.get("parentId", ""), {})
        found.append(f"{role} in {above.get('name', {}).get('value')!r}")
    session.detach()
    return found


def moving(page: Page) -> list[str]:
    """Return what moves without end, which nothing does for those who asked for less motion."""
    return page.evaluate("""() => {
      const found = []
      const look = (root) => {
        for (const one of root.getAnimations()) {
          if (one.effect.getTiming().iterations === Infinity) found.push(one.animationName ?? "a transition")
        }
        for (const el of root.querySelectorAll("*")) if (el.shadowRoot) look(el.shadowRoot)
      }
      look(document)
      return found
    }""")
