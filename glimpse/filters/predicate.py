"""A filter as a function in Python: for each event as it comes, where a query would cost a thousand times more.

Rule of this module: it keeps the same events as `expression.py`, whatever the filter; the tests hold the two together.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import re2

from glimpse.events import Event, Session
from glimpse.filters.fields import Field, Home, Kind
from glimpse.filters.rules import Op, Value, epoch_ms
from glimpse.filters.tree import And, Condition, Filter, Not, Or, Search, conditions_of

Predicate = Callable[[Event, Session | None], bool]
_Test = Callable[[Any], bool]

_encode = msgspec.json.Encoder().encode
_ORDER: dict[Op, Callable[[Any, Any], bool]] = {
    Op.GREATER: operator.gt,
    Op.GREATER_OR_IS: operator.ge,
    Op.LESS: operator.lt,
    Op.LESS_OR_IS: operator.le,
}
_QUIET = re2.Options()
_QUIET.log_errors = False
# An event's own, but it changes when two sessions turn out to be one, as what is known of a session does.
_OF_SESSIONS = "session_id"


def predicate_of(where: Filter) -> Predicate:
    """Return a function that says whether a filter keeps an event, given what is known of its session.

    Of a session that is not known, no condition is true.
    """
    match where:
        case And(items):
            return _all_of([predicate_of(item) for item in items])
        case Or(items):
            return _any_of([predicate_of(item) for item in items])
        case Not(item):
            kept = predicate_of(item)
            return lambda event, session: not kept(event, session)
        case Search(text):
            return _search(text)
        case Condition(field=field):
            return _condition(field, _test_of(where))
    raise TypeError(f"{where!r} is no filter")


def asks_sessions(where: Filter) -> bool:
    """Tell whether a filter may keep an event and later not, as more is known of its session."""
    return any(said.field.home is Home.SESSION or said.field.name == _OF_SESSIONS for said in conditions_of(where))


def _all_of(parts: Sequence[Predicate]) -> Predicate:
    def kept(event: Event, session: Session | None) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs as much as a condition
            if not part(event, session):
                return False
        return True

    return kept


def _any_of(parts: Sequence[Predicate]) -> Predicate:
    def kept(event: Event, session: Session | None) -> bool:
        for part in parts:  # noqa: SIM110 - likewise
            if part(event, session):
                return True
        return False

    return kept


def _condition(field: Field, test: _Test) -> Predicate:
    read = operator.attrgetter(field.column)
    if field.home is Home.SESSION:
        return lambda _, session: session is not None and (value := read(session)) is not None and test(value)
    if field.kind is not Kind.JSON:
        return lambda event, _: (value := read(event)) is not None and test(value)
    keys = field.keys

    def kept(event: Event, _: Session | None) -> bool:
        value: Any = read(event)
        for key in keys:
            if not isinstance(value, dict):
                return False
            value = value.get(key)
        return value is not None and test(value)

    return kept


# -- what is said of a value that is known -----------------------------------------------------------------------------


def _test_of(said: Condition) -> _Test:
    if said.op is Op.EXISTS:
        return lambda _: True
    if said.field.kind is Kind.TIME:
        return _said(said.op, [epoch_ms(value) for value in said.values])
    if said.field.kind is not Kind.JSON:
        return _said(said.op, said.values)
    by_type: dict[type, list[Value]] = {}
    for value in said.values:
        by_type.setdefault(type(value), []).append(value)
    tests = {kind: _said(said.op, values) for kind, values in by_type.items()}
    if float in tests:
        tests[int] = _of_float(tests[float])
    return lambda value: (test := tests.get(type(value))) is not None and test(value)


def _of_float(test: _Test) -> _Test:
    """Compare whole numbers as all are compared, as 64-bit floats; one beyond those is no number that can be met."""

    def tested(value: int) -> bool:
        try:
            return test(float(value))
        except OverflowError:
            return False

    return tested


def _said(op: Op, values: Sequence[Any]) -> _Test:  # noqa: PLR0911 - one for each form
    first, last = values[0], values[-1]
    match op:
        case Op.IS:
            return lambda value: value == first
        case Op.IN:
            return frozenset(values).__contains__
        case Op.BETWEEN:
            return lambda value: first <= value <= last
        case Op.CONTAINS:
            return lambda value: first in value
        case Op.STARTS_WITH:
            return lambda value: value.startswith(first)
        case Op.MATCHES:
            search = re2.compile(f"(?-s){first}", _QUIET).search
            return lambda value: search(value) is not None
    compare = _ORDER[op]
    return lambda value: compare(value, first)


def _search(text: str) -> Predicate:
    needle = _small(text)
    escaped = _small(_encode(text).decode()[1:-1])  # as a part of JSON

    def kept(event: Event, _: Session | None) -> bool:
        for part in (event.name, event.url, event.host, event.page):
            if part is not None and needle in _small(part):
                return True
        return escaped in (_small(_encode(event.properties).decode()) if event.properties else "{}")

    return kept


def _small(text: str) -> str:
    """Make letters small one by one, as stores do: none becomes two, none depends on its neighbours."""
    if text.isascii():
        return text.lower()
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)
