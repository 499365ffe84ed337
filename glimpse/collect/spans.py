"""The questions of the read API: project, span of time and page size, as texts of a query string."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from glimpse.errors import QueryError
from glimpse.events import LAYER_OF_BOTS
from glimpse.filters import Filter, as_filter
from glimpse.moments import moment
from glimpse.transfer import FORMATS
from glimpse.wire.claim import is_project

if TYPE_CHECKING:  # an edge alone has none
    from glimpse.store import Queries

_CURSOR = re.compile(r"[0-9]{1,15}:[0-9a-f-]{36}")
DEFAULT_SINCE = "24h"
DEFAULT_LIMIT = 1000
MOST_ROWS = 10_000  # of a page
ALL = "all"

Ask = Callable[[str], str | None]  # a parameter's name -> its text, None when it is not given


def project_asked(ask: Ask) -> str:
    """Return the project, '*' (all) when none is named."""
    project = ask("project") or "*"
    if project != "*" and not is_project(project.removesuffix(LAYER_OF_BOTS)):
        raise QueryError("project must be * or 1 to 64 of the characters A-Z a-z 0-9 . _ : -")
    return project


def span_asked(ask: Ask, now_ms: int) -> tuple[int, int]:
    """Return `[since, until)`: by default the 24 hours up to and including now."""
    since = moment(ask("since") or DEFAULT_SINCE, "since", now_ms)
    until = moment(text, "until", now_ms) if (text := ask("until")) else now_ms + 1
    if since > until:
        raise QueryError("since must not be later than until")
    return since, until


def where_asked(ask: Ask) -> Filter | None:
    """Return the filter that says which events, as text or as JSON."""
    try:
        return as_filter(ask("where"))
    except QueryError as problem:
        raise QueryError(f"where: {problem}") from problem


def segment_asked(ask: Ask) -> str | None:
    """Return the name of the saved filter that is asked for, None when there is none."""
    return ask("segment") or None


async def filter_asked(ask: Ask, queries: Queries) -> Filter | None:
    """Return what `where` and `segment` both keep of the project, as one filter."""
    return await queries.filter_for(project_asked(ask), where_asked(ask), segment_asked(ask))


def limit_asked(ask: Ask) -> int | None:
    """Return how many rows a page is to have; None for all in one answer."""
    text = ask("limit") or str(DEFAULT_LIMIT)
    if text == ALL:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MOST_ROWS:
        raise QueryError(f"limit must be 1 to {MOST_ROWS}, or {ALL}; it is {text[:80]!r}")
    return int(text)


def cursor_asked(ask: Ask) -> str | None:
    """Return where the page before ended, as its `Link` gave it."""
    text = ask("after")
    if text and not _CURSOR.fullmatch(text):
        raise QueryError("after must be what a Link header gave; follow that address as it is")
    return text or None


def format_asked(ask: Ask) -> str:
    """Return the format, json by default."""
    text = ask("format") or "json"
    if text not in FORMATS:
        raise QueryError(f"format must be one of {', '.join(FORMATS)}; it is {text[:80]!r}")
    return text
