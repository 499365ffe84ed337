"""What a filter means, written a second time: slowly, over records, in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import re2

from glimpse.events import Event, Session
from glimpse.filters import And, Condition, Field, Filter, Home, Kind, Not, Op, Or, Search


def keeps(where: Filter, event: Event, session: Session | None) -> bool:
    match where:
        case And(items):
            return all(keeps(item, event, session) for item in items)
        case Or(items):
            return any(keeps(item, event, session) for item in items)
        case Not(item):
            return not keeps(item, event, session)
        case Search(text):
            return found(text, event)
        case Condition(field=field, op=op, values=values):
            value = value_of(field, event if field.home is Home.EVENT else session)
            if field.kind is Kind.TIME:
                values = tuple(moment(one) for one in values)
            return value is not None and says(value, op, values)
    raise TypeError(where)


def value_of(field: Field, record: Event | Session | None) -> Any:
    value = getattr(record, field.column) if record else None
    for key in field.keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def says(value: Any, op: Op, values: tuple[Any, ...]) -> bool:
    if op is Op.EXISTS:
        return True
    if op is Op.IN:
        return any(says(value, Op.IS, (one,)) for one in values)
    if not all(kind(value) is kind(one) for one in values):
        return False
    value = float(value) if kind(value) is float else value
    least, most = values[0], values[-1]
    tests: dict[Op, Callable[[], bool]] = {
        Op.IS: lambda: value == least,
        Op.CONTAINS: lambda: least in value,
        Op.STARTS_WITH: lambda: value.startswith(least),
        Op.MATCHES: lambda: re2.search(least, value) is not None,
        Op.GREATER: lambda: value > least,
        Op.GREATER_OR_IS: lambda: value >= least,
        Op.LESS: lambda: value < least,
        Op.LESS_OR_IS: lambda: value <= least,
        Op.BETWEEN: lambda: least <= value <= most,
    }
    return tests[op]()


def kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def found(text: str, event: Event) -> bool:
    properties = msgspec.json.encode(event.properties).decode()
    escaped = msgspec.json.encode(text).decode()[1:-1]
    address = [part for part in (event.name, event.url, event.host, event.page) if part is not None]
    return any(small(text) in small(part) for part in address) or small(escaped) in small(properties)


def small(text: str) -> str:
    """Letter by letter, as databases do: without the rules for letters that become two, or depend on neighbours."""
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)


def moment(value: Any) -> float:
    if isinstance(value, float):
        return value
    read = datetime.fromisoformat(value)
    return float(round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000))
