"""Filters that are arguments of a question, such as a funnel's steps: unlike a question's own, each is needed."""

from __future__ import annotations

from typing import Any

from glimpse.errors import QueryError
from glimpse.filters import Filter, as_filter

SentFilter = str | dict[str, Any]


def needed_filter(sent: SentFilter, what: str) -> Filter:
    """Return the filter that was sent for something, such as "a goal".

    Raises
    ------
    QueryError
        When it is empty, or has a mistake.
    """
    said = as_filter(sent)
    if said is None:
        raise QueryError(f'{what} is a filter, such as name = "signup"')
    return said
