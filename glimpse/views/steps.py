"""What somebody means who types a step or a goal: the name of an event, a page, or a condition.

Rule of this module: what is typed becomes a filter of `glimpse.filters`, whole, or a `QueryError`.
"""

from __future__ import annotations

import re

from glimpse.errors import QueryError
from glimpse.filters import Filter, Search, parse
from glimpse.views.chips import joined, picked, shown, typed
from glimpse.views.labels import event_label

MOST_CHARS = 500
_COMPARED = re.compile(r"[A-Za-z_][\w.]*\s*(?:!?=|[<>]=?)")


def step_of(text: str) -> Filter:
    """Return the filter that a step means: a condition, `/` and a page, or else the name of an event.

    Raises
    ------
    QueryError
        At a mistake in what begins like a condition. A comparison is one also without spaces: what names no field is
        mistyped rather than an event that is called so, which can be said as `name = "a=b"`.
    """
    if text.startswith("/"):
        return picked("page", text)
    together = joined(typed(text))
    if together is None:
        raise QueryError("a step needs a name, a page or a condition")
    if isinstance(together, Search) and _COMPARED.match(text):
        return parse(text)
    return picked("name", text) if isinstance(together, Search) and text[0] not in "\"'" else together


def called(step: Filter) -> str:
    """Return what a step is called on a page."""
    chip = shown(step)
    if chip["field"] == "name" and chip["says"] == "is":
        return event_label(chip["value"][0])
    return chip["value"][0] if chip["field"] == "page" and chip["says"] == "is" else chip["text"]
