"""The address of a view: what a viewer has chosen, so that a copied address opens the same view.

Rule of this module: nothing in an address is trusted. What can't be is as if it were not there; a filter with a mistake
is shown with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode
from zoneinfo import available_timezones

from glimpse.live import ALL_PROJECTS

VIEWS = {
    "live": "Live",
    "history": "History",
    "sessions": "Sessions",
    "explore": "Explore",
    "performance": "Performance",
    "projects": "Projects",
    "operations": "Operations",
}
# What stands in an address, in this order, and what is meant where it does not.
DEFAULTS = {
    "project": "",
    "view": "live",
    "since": "",  # live: the window; elsewhere: 24 hours
    "until": "",
    "tz": "",
    "where": "",
    "compare": "",
    "segment": "",
    "goal": "",
    "layer": "places",
    "arcs": "",
    "theme": "dark",
    "kiosk": "",
}
_CARDS = ("pages", "sources", "places", "technology", "events", "errors")  # sorted and searched, each by itself
# What is chosen in the parts of the pages; a name stands once for each of its texts. The parts say what can be.
CHOICES = (
    "map",
    "feed",
    "feed_find",
    "line",
    "pages",
    "sources",
    "places",
    "technology",
    "events",
    "session",
    "event",
    "by",
    "beside",
    "step",
    "within",
    "retention",
    "path",
    "vital",
    "vitals",
    "errors",
    *(f"{card}_{what}" for card in _CARDS for what in ("by", "find")),
    "sessions_find",
    "vitals_by",
)
Choices = Mapping[str, tuple[str, ...]]
_PROJECT = re.compile(r"[A-Za-z0-9._:-]{1,64}(?::bots)?")
_MOMENT = re.compile(r"[0-9]{1,4}[mhd]|[0-9]{10,15}|[0-9]{4}-[0-9]{2}-[0-9]{2}[0-9T:.Z+-]{0,24}")
_MOST_CHARS = 20_000  # as a filter may have
_MOST_TEXTS = 12
_MOST_CHARS_CHOSEN = 2_000


def read_address(arguments: Mapping[str, Sequence[bytes]]) -> dict[str, str]:
    """Return what an address says, of each name what can be: those of `DEFAULTS` that are well given."""
    given = {name: arguments[name][0].decode("utf-8", "replace") for name in DEFAULTS if arguments.get(name)}
    if given.get("theme") == "default":
        given["theme"] = "light"
    return {name: value for name, value in given.items() if _can_be(name, value)}


def read_choices(arguments: Mapping[str, Sequence[bytes]]) -> dict[str, tuple[str, ...]]:
    """Return what an address says is chosen in the parts of the pages: the texts of each of `CHOICES` that is there."""
    given = {name: [text.decode("utf-8", "replace") for text in arguments.get(name, ())] for name in CHOICES}
    return {
        name: tuple(texts)
        for name, texts in given.items()
        if 0 < len(texts) <= _MOST_TEXTS and all(len(text) <= _MOST_CHARS_CHOSEN for text in texts)
    }


def search_of(chosen: Mapping[str, Any], choices: Choices = MappingProxyType({})) -> str:
    """Return the part of an address from the question mark on; what is as usual is left out."""
    kept = [(name, chosen[name]) for name, usual in DEFAULTS.items() if chosen.get(name, usual) != usual]
    kept += [(name, text) for name in CHOICES for text in choices.get(name, ())]
    return f"?{urlencode(kept)}" if kept else ""


def said_tab(name: str, chosen: str, tabs: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return how an address says which of some tabs is chosen; the first one goes without saying."""
    return {} if chosen == next(iter(tabs)) else {name: (chosen,)}


def heard_tab(name: str, said: Choices, tabs: Collection[str]) -> str:
    """Return the tab that an address says, the first one where it says none that there is."""
    said_one = said.get(name, ("",))[0]
    return said_one if said_one in tabs else next(iter(tabs))


def said_text(name: str, text: str) -> dict[str, tuple[str, ...]]:
    """Return how an address says a text; none goes without saying."""
    return {name: (text,)} if text else {}


def is_project(text: str) -> bool:
    """Tell whether a text can be a project's id."""
    return _PROJECT.fullmatch(text) is not None


def is_moment(text: str) -> bool:
    """Tell whether a text looks like a time as `since` and `until` take it: ISO, epoch ms, or `90m`, `24h`, `7d`."""
    return _MOMENT.fullmatch(text) is not None


def _can_be(name: str, value: str) -> bool:
    check = _CHECKS.get(name)
    return len(value) <= _MOST_CHARS if check is None else check(value)


_CHECKS: dict[str, Callable[[str], bool]] = {
    "project": lambda value: value == ALL_PROJECTS or is_project(value),
    "view": lambda value: value in VIEWS,
    "layer": lambda value: value in ("places", "sessions", "events"),
    "arcs": lambda value: value == "1",
    "theme": lambda value: value in ("dark", "light"),
    "since": is_moment,
    "until": is_moment,
    "tz": lambda value: value in available_timezones(),
    "compare": lambda value: value == "before",
    "kiosk": lambda value: value == "1",
}
