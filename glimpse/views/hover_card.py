"""The card beside the pointer, over the map and the chart.

Bokeh hangs it on the page's body, outside every theme and style sheet of ours: so it brings its own box, which lies on
Bokeh's, and falls back to the dark colours where no page sets any, as in a notebook.
"""

from __future__ import annotations

from glimpse.views.tokens import DARK, FONT

_BOX = (
    f"margin: -7px; padding: 9px 12px; border-radius: 2px; border: 1px solid var(--g-line, {DARK.line}); "
    f"box-shadow: 0 0 0 3px var(--g-raised, {DARK.raised}); "
    f"background: var(--g-raised, {DARK.raised}); color: var(--g-text, {DARK.text}); font: 500 13px/1.5 {FONT}"
).replace('"', "'")
_STRONG = "font-weight: 650; font-size: 14px"
_QUIET = f"color: var(--g-muted, {DARK.muted}); font-size: 12px"


def hover_card(strong: str, *lines: str, quiet: str) -> str:
    """Return a card's template.

    Parameters
    ----------
    strong, lines, quiet
        Text with columns as `@x`, which Bokeh writes as text. Never `@x{safe}`: that would read markup in the data.
    """
    middle = "".join(f"<div>{line}</div>" for line in lines)
    return f'<div style="{_BOX}"><div style="{_STRONG}">{strong}</div>{middle}<div style="{_QUIET}">{quiet}</div></div>'
