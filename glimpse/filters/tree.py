"""A filter as a tree of conditions.

Rule of this module: no filter that is not sound can be made. Every condition is true or false of an event, never
unknown: what an event does not say meets no condition, and so meets each one's opposite.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from glimpse.errors import QueryError
from glimpse.filters.fields import Field
from glimpse.filters.rules import MOST_VALUES, Op, Value, check_count, check_op, check_text, check_value, plain

MOST_DEPTH = 20
MOST_CONDITIONS = 200


class Filter:
    """What events to look at. Combine filters with `&`, `|` and `~`."""

    __slots__ = ()
    depth: int
    conditions: int

    def __and__(self, other: Filter) -> Filter:
        return And((*_items(self, And), *_items(other, And)))

    def __or__(self, other: Filter) -> Filter:
        return Or((*_items(self, Or), *_items(other, Or)))

    def __invert__(self) -> Filter:
        return self.item if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        raise TypeError("a filter is neither true nor false; combine filters with &, | and ~, not with and, or, not")


def _items(part: Filter, kind: type[And | Or]) -> tuple[Filter, ...]:
    return part.items if isinstance(part, kind) else (part,)


@dataclass(frozen=True, eq=False)
class Condition(Filter):
    """One field, what is said of it, and the values: none for `exists`, two for `between`, some for `in`, or one."""

    field: Field
    op: Op
    values: tuple[Value, ...] = ()

    depth = 1
    conditions = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(plain(value) for value in self.values))
        check_op(self.field, self.op)
        check_count(self.op, len(self.values))
        for value in self.values:
            check_value(self.field, self.op, value)
        if self.op is Op.BETWEEN and len({isinstance(value, str) for value in self.values}) > 1:
            raise QueryError(f"{self.field} between needs two values of one kind")

    # In Python 1 == True, in a filter they are different values.
    def _identity(self) -> tuple[object, ...]:
        return self.field, self.op, tuple((type(value), value) for value in self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())


@dataclass(frozen=True)
class Search(Filter):
    """Text, in capitals or not, that is in an event's name, address, or the keys and values of its properties."""

    text: str

    depth = 1
    conditions = 1

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise QueryError("a search needs some text")
        check_text(self.text)


class _Group(Filter):
    __slots__ = ()
    items: tuple[Filter, ...]

    def __post_init__(self) -> None:
        if len(self.items) < 2:
            raise QueryError("and/or need two conditions or more")
        _measure(self, self.items)


@dataclass(frozen=True)
class And(_Group):
    """All of two or more."""

    items: tuple[Filter, ...]


@dataclass(frozen=True)
class Or(_Group):
    """At least one of two or more."""

    items: tuple[Filter, ...]


@dataclass(frozen=True)
class Not(Filter):
    """The opposite."""

    item: Filter

    def __post_init__(self) -> None:
        _measure(self, (self.item,))


def _measure(node: Filter, items: Iterable[Filter]) -> None:
    depth = 1 + max(item.depth for item in items)
    conditions = sum(item.conditions for item in items)
    if depth > MOST_DEPTH:
        raise QueryError(f"a filter nests at most {MOST_DEPTH} deep")
    if conditions > MOST_CONDITIONS:
        raise QueryError(f"a filter has at most {MOST_CONDITIONS} conditions; in (…) takes {MOST_VALUES} values")
    object.__setattr__(node, "depth", depth)
    object.__setattr__(node, "conditions", conditions)


def conditions_of(where: Filter) -> list[Condition]:
    """Return a filter's conditions, from left to right; searches are none."""
    match where:
        case Condition():
            return [where]
        case And(items) | Or(items):
            return [condition for item in items for condition in conditions_of(item)]
        case Not(item):
            return conditions_of(item)
    return []
