"""The formulas of the tiles, word for word as docs/metrics.md has them. A test holds the two together."""

from __future__ import annotations

FORMULAS = {
    "Active sessions": (
        "Sessions with a page open now: active (visible and heard within 30 s) and idle (open otherwise). "
        "A session is gone when all its pages have left, or after 300 s of silence."
    ),
    "Events a minute": "Events that came in during the last 60 seconds, at most a minute after they happened.",
    "Page views": "Events named page_view in the last 30 minutes.",
    "Sessions": "Sessions with at least one event in the last 30 minutes.",
    "Bounce rate": (
        "Bounces divided by sessions, in the last 30 minutes. "
        "A bounce is one page view, no click, form or custom event, and under 10 s engaged."
    ),
    "Change": (
        "Beside each number: the last five full minutes against the five before them; "
        "of a rate, in points. None until ten full minutes are known."
    ),
}
# Of another span than the last 30 minutes: the same, counted by the store.
FORMULAS_OF_SPANS = {
    "Events": "Events in the span.",
    "Page views": "Events named page_view in the span.",
    "Sessions": "Sessions with at least one event in the span.",
    "Bounce rate": (
        "Bounces of sessions that began in the span, divided by its sessions. "
        "A bounce is one page view, no click, form or custom event, and under 10 s engaged."
    ),
    "Change, of a span": "Beside each number: against the span of the same length before it; of a rate, in points.",
}
