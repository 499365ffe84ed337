"""Filters that are arguments of a question, such as a funnel's steps: unlike a question's own, each is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glimpse.errors import QueryError
from glimpse.filters import Filter, as_filter

SentFilter = str | dict[str, Any]


def needed_filter(sent: SentFilter, place: str) -> Filter:
    """Return the filter that was sent as an argument, such as `goal` or `steps[1]`.

    Raises
    ------
    QueryError
        When it is empty, or has a mistake; the message begins with the place.
    """
    try:
        said = as_filter(sent)
    except QueryError as problem:
        raise QueryError(f"{place}: {problem}") from problem
    if said is None:
        raise QueryError(f'{place} is a filter, such as name = "signup"')
    return said


def needed_filters(sent: Sequence[SentFilter], place: str) -> list[Filter]:
    """Return the filters of a list, such as `steps`; as `needed_filter`."""
    return [needed_filter(one, f"{place}[{number}]") for number, one in enumerate(sent)]
