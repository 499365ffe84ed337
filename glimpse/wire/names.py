"""One name for events that everybody has and each spells in another way: `Page View`, `pageview`, `$pageview`.

`WORDS` is the table, and only the tracker's own names are in it. Signs of life are not: what is taken for one is shown
nowhere, and somebody's own event may be called so.
"""

from __future__ import annotations

from collections.abc import Iterator

# A name, and what else it is called. Of all of them any usual spelling counts: see `_spellings`.
WORDS: dict[str, tuple[str, ...]] = {
    "page_view": ("page view", "page viewed", "viewed page", "loaded a page"),
    "page_leave": ("page leave", "page left", "left page"),
    "session_start": ("session start", "session started", "started session"),
    "click": ("click", "clicked"),
    "outbound_click": ("outbound click", "outbound link click", "clicked outbound link"),
    "file_download": ("file download", "file downloaded", "downloaded file"),
    "form_submit": ("form submit", "form submitted", "submitted form", "form submission"),
    "element_viewed": ("element viewed", "viewed element", "element view"),
    "scroll_depth": ("scroll depth",),
    "web_vital": ("web vital",),
    "js_error": ("js error", "javascript error"),
}
# What others call them besides, to the letter.
_TO_THE_LETTER = {
    "Outbound Link: Click": "outbound_click",
    "File Download": "file_download",
    "Form: Submission": "form_submit",
    "JS Error": "js_error",
    "JavaScript Error": "js_error",
}


def _spellings(words: str) -> Iterator[str]:
    """Spell words as people do: `page view`, `Page View`, `page-view`, `pageView`, `PageView`, `pageview` and more."""
    parts = words.split()
    for separator in (" ", "_", "-", ".", ":"):
        yield separator.join(parts)
        yield separator.join(part.capitalize() for part in parts)
        yield separator.join(part.upper() for part in parts)
        yield separator.join(parts).capitalize()
    together = "".join(part.capitalize() for part in parts)
    yield from (together, together[0].lower() + together[1:], together.lower(), together.upper())
    yield from (f"${together.lower()}", f"${'_'.join(parts)}")


ALIASES: dict[str, str] = {
    spelling: name for name, many in WORDS.items() for words in many for spelling in _spellings(words)
} | _TO_THE_LETTER


def canonical_name(name: str) -> str:
    """Return the one name of an event; a site's own names are left as they are."""
    return ALIASES.get(name, name)


def aliases_table() -> str:
    """Return the table of `docs/names.md`, in Markdown."""
    rows = [f"| `{name}` | {', '.join(many)} |" for name, many in WORDS.items()]
    return "\n".join(["| name | also called |", "|---|---|", *rows])
