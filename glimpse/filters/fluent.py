"""Filters as Python writes them: `field("country").is_in("DE", "FR") & (field("properties.plan") == "pro")`."""

from __future__ import annotations

from datetime import datetime

from glimpse.filters.fields import Field, read_field
from glimpse.filters.rules import Op
from glimpse.filters.tree import Condition, Filter, Not, Search

Given = str | float | bool | datetime


class FieldTerm:
    """A field to say something of: compare it, or call one of its methods. `~` makes the opposite of what comes out."""

    __hash__ = None  # pyright: ignore[reportAssignmentType] - what compares to a filter can't be a key

    def __init__(self, field: Field) -> None:
        self._field = field

    def __repr__(self) -> str:
        return f"field({str(self._field)!r})"

    def __eq__(self, value: Given) -> Filter:  # pyright: ignore[reportIncompatibleMethodOverride] - as Ibis does
        return self._says(Op.IS, value)

    def __ne__(self, value: Given) -> Filter:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Not(self._says(Op.IS, value))

    def __gt__(self, value: Given) -> Filter:
        return self._says(Op.GREATER, value)

    def __ge__(self, value: Given) -> Filter:
        return self._says(Op.GREATER_OR_IS, value)

    def __lt__(self, value: Given) -> Filter:
        return self._says(Op.LESS, value)

    def __le__(self, value: Given) -> Filter:
        return self._says(Op.LESS_OR_IS, value)

    def is_in(self, *values: Given) -> Filter:
        """Say that it is one of some values."""
        return self._says(Op.IN, *values)

    def contains(self, text: str) -> Filter:
        """Say that a text is part of it, in the same capitals."""
        return self._says(Op.CONTAINS, text)

    def starts_with(self, text: str) -> Filter:
        """Say that it begins with a text, in the same capitals."""
        return self._says(Op.STARTS_WITH, text)

    def matches(self, pattern: str) -> Filter:
        """Say that a regular expression of RE2 is found in it; `^` and `$` tie it to the ends."""
        return self._says(Op.MATCHES, pattern)

    def between(self, least: Given, most: Given) -> Filter:
        """Say that it is one of two values or between them."""
        return self._says(Op.BETWEEN, least, most)

    def exists(self) -> Filter:
        """Say that it is known."""
        return self._says(Op.EXISTS)

    def _says(self, op: Op, *values: Given) -> Condition:
        plain = tuple(value.isoformat() if isinstance(value, datetime) else value for value in values)
        return Condition(self._field, op, plain)


def field(name: str) -> FieldTerm:
    """Return a field by name: `country`, `session.pages`, `properties.plan`, `context."a key"`."""
    return FieldTerm(read_field(name))


def search(text: str) -> Filter:
    """Return the filter for events with a text in their name, address or properties, in capitals or not."""
    return Search(text)
