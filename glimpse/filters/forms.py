"""A filter as text, as JSON and as part of an address; each form reads back as the same filter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from glimpse.errors import QueryError
from glimpse.filters.fields import read_field
from glimpse.filters.grammar import parse
from glimpse.filters.rules import Op, Value
from glimpse.filters.tree import MOST_DEPTH, And, Condition, Filter, Not, Or, Search

Where = Filter | str | dict[str, Any]  # the forms that questions take
_SIGNS = {Op.IS: "=", Op.GREATER: ">", Op.GREATER_OR_IS: ">=", Op.LESS: "<", Op.LESS_OR_IS: "<="}


def as_filter(where: Where | None) -> Filter | None:
    """Return a filter in whatever form it comes: made in Python, as text, as JSON; None and blank text are no filter.

    Raises
    ------
    QueryError
        At a mistake, with its place and what is allowed.
    """
    if isinstance(where, str):
        text = where.strip()
        if not text:
            return None
        return from_json(text) if text.startswith(("{", "[")) else parse(where)
    return from_json(where) if isinstance(where, dict) else where


# -- text ----------------------------------------------------------------------------------------------------------


def to_text(where: Filter) -> str:  # noqa: PLR0911 - one for each form
    """Return a filter as people write it."""
    match where:
        case And(items):
            return " and ".join(_within(item, And, Or) for item in items)
        case Or(items):
            return " or ".join(_within(item, Or) for item in items)
        case Not(Condition(op=Op.IS) as said):
            return f"{said.field} != {_literal(said.values[0])}"
        case Not(Condition(op=op) as said) if op not in _SIGNS:
            return f"{said.field} not {_saying(said)}"
        case Not(item):
            return f"not {_within(item, And, Or)}"
        case Search(text):
            return _literal(text)
        case Condition():
            return f"{where.field} {_saying(where)}"
    raise TypeError(f"{where!r} is no filter")


def _within(item: Filter, *kinds: type[Filter]) -> str:
    return f"({to_text(item)})" if isinstance(item, kinds) else to_text(item)


def _saying(said: Condition) -> str:
    values = [_literal(value) for value in said.values]
    match said.op:
        case Op.IN:
            return f"in ({', '.join(values)})"
        case Op.BETWEEN:
            return f"between {values[0]} and {values[1]}"
        case Op.EXISTS:
            return "exists"
        case Op.STARTS_WITH:
            return f"starts with {values[0]}"
    return f"{_SIGNS.get(said.op, said.op)} {values[0]}"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(_json_number(value))
    if "\\" in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"  # patterns stay readable
    return json.dumps(value, ensure_ascii=False)


# -- address -------------------------------------------------------------------------------------------------------


def to_url(where: Filter) -> str:
    """Return the text percent-encoded, to stand behind `where=` in an address."""
    return quote(to_text(where), safe="/:,.()")


def from_url(text: str) -> Filter:
    """Return the filter of `to_url`."""
    return parse(unquote(text, errors="strict"))


# -- JSON ----------------------------------------------------------------------------------------------------------


def to_json(where: Filter) -> dict[str, Any]:
    """Return a filter as an object for JSON: `{"and": […]}`, `{"field": "country", "op": "in", "value": ["DE"]}`."""
    match where:
        case And(items):
            return {"and": [to_json(item) for item in items]}
        case Or(items):
            return {"or": [to_json(item) for item in items]}
        case Not(item):
            return {"not": to_json(item)}
        case Search(text):
            return {"search": text}
        case Condition():
            return {"field": str(where.field), "op": str(where.op)} | _json_value(where)
    raise TypeError(f"{where!r} is no filter")


def _json_value(said: Condition) -> dict[str, Any]:
    values = [_json_number(value) for value in said.values]
    if said.op is Op.EXISTS:
        return {}
    return {"value": values if said.op in (Op.IN, Op.BETWEEN) else values[0]}


def _json_number(value: Value) -> Value:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def from_json(form: Any) -> Filter:
    """Return the filter of an object as `to_json` makes it, or of its JSON.

    Raises
    ------
    QueryError
        At the first mistake, with its place (`$.and[1].op`) and what is allowed.
    """
    if isinstance(form, str | bytes):
        try:
            form = msgspec.json.decode(form)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
            raise QueryError(f"the filter is no JSON: {problem}") from None
    return _read(form, "$", 1)


def _read(form: Any, place: str, depth: int) -> Filter:
    if depth > MOST_DEPTH:
        raise _Placed(f"{place}: a filter nests at most {MOST_DEPTH} deep")
    try:
        return _made(form, place, depth)
    except _Placed:
        raise
    except QueryError as problem:
        raise _Placed(f"{place}: {problem}") from None


class _Placed(QueryError):
    """A mistake whose place is in its message."""


def _made(form: Any, place: str, depth: int) -> Filter:
    match form:
        case {"and": list(items), **rest} if not rest:
            return And(tuple(_each(items, f"{place}.and", depth)))
        case {"or": list(items), **rest} if not rest:
            return Or(tuple(_each(items, f"{place}.or", depth)))
        case {"not": item, **rest} if not rest:
            return Not(_read(item, f"{place}.not", depth + 1))
        case {"search": str(text), **rest} if not rest:
            return Search(text)
        case {"field": str(name), "op": str(op), **rest} if not rest.keys() - {"value"}:
            return Condition(read_field(name), _op(op), _values(rest))
    raise QueryError(
        'a filter is {"field", "op", "value"}, {"and": […]}, {"or": […]}, {"not": {…}} or {"search": "…"}, no more'
    )


def _each(items: list[Any], place: str, depth: int) -> Iterator[Filter]:
    for number, item in enumerate(items):
        yield _read(item, f"{place}[{number}]", depth + 1)


def _op(name: str) -> Op:
    try:
        return Op(name)
    except ValueError:
        raise QueryError(f"op is one of {', '.join(Op)}, not {name[:40]!r}; its opposite is not") from None


def _values(rest: dict[str, Any]) -> tuple[Any, ...]:
    if "value" not in rest:
        return ()
    return tuple(rest["value"]) if isinstance(rest["value"], list) else (rest["value"],)
