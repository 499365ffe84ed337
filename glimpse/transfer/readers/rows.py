"""One row of a file as a record: what its columns must be, whatever format they come from.

Rule of this module: what is wrong with a row is a `ValueError` whose message names the column and what is allowed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from glimpse.events import Event, ImportedTotal, Session
from glimpse.store.questions.scope import LAST_MS
from glimpse.store.rows import COUNT_COLUMNS, EVENT_COLUMNS, JSON_COLUMNS, SESSION_COLUMNS, TIME_COLUMNS, TOTAL_COLUMNS
from glimpse.wire.claim import is_project
from glimpse.wire.times import parse_time

Row = Mapping[str, Any]
Kinds = Mapping[str, Callable[[Any], Any]]
_MOST_SHOWN = 60
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_EARLIEST_MS = 0


def read_event(row: Row) -> Event:
    """Return an event of a row that has its columns by name; those that are missing are unknown.

    Raises
    ------
    ValueError
        Says which column is wrong, and how.
    """
    facts = _read(row, EVENT_COLUMNS, ("id", "project", "session_id", "name", "time"))
    facts.setdefault("received_at", facts["time"])
    return Event(**facts)


def read_session(row: Row) -> Session:
    """Return a session of such a row; raises likewise. What follows from other columns is not looked at."""
    names = [name for name in SESSION_COLUMNS if name in Session.__struct_fields__]
    return Session(**_read(row, names, ("id", "project", "started_at", "last_seen_at")))


def read_total(row: Row) -> ImportedTotal:
    """Return another tracker's total of such a row; raises likewise."""
    kinds: Kinds = dict.fromkeys([*COUNT_COLUMNS], _large_count)
    return ImportedTotal(**_read(row, TOTAL_COLUMNS, ("id", "project", "origin", "day", "dimension"), kinds))


def _read(row: Row, names: Any, required: tuple[str, ...], kinds: Kinds | None = None) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name in names:
        value = row.get(name)
        if value is None:
            if name in required:
                raise ValueError(f"{name} is missing")
            continue
        try:
            facts[name] = (kinds or {}).get(name, _KINDS.get(name, _text))(value)
        except (ValueError, TypeError, OverflowError) as problem:
            raise ValueError(f"{name} must be {problem}; it is {_shown(value)}") from None
    return facts


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")  # noqa: TRY004 - one kind of mistake
    value.encode()  # a lone surrogate is a ValueError, which nobody could store
    return value


def _name(value: Any) -> str:
    if not _text(value).strip():
        raise ValueError("a name")
    return value


def _uuid(value: Any) -> str:
    try:
        return str(UUID(value)) if isinstance(value, str) else str(UUID(bytes=value))
    except (ValueError, TypeError, AttributeError):
        raise ValueError("a UUID") from None


def _project(value: Any) -> str:
    if not is_project(value):
        raise ValueError("1 to 64 of the characters A-Z a-z 0-9 . _ : -")
    return value


def _time(value: Any) -> int:
    if isinstance(value, datetime):
        read: int | None = round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)
    elif isinstance(value, str):
        read = int(value) if _WHOLE.fullmatch(value) else parse_time(value)
    else:
        read = value if type(value) is int else None
    if read is None or not _EARLIEST_MS <= read <= LAST_MS:
        raise ValueError("a time: ISO 8601 or epoch milliseconds")
    return read


def _number(value: Any) -> float:
    read = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    if not math.isfinite(read):
        raise ValueError("a number")
    return read


def _degrees(most: int) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        degrees = _number(value)
        if abs(degrees) > most:
            raise ValueError(f"degrees from -{most} to {most}")
        return degrees

    return read


def _count(value: Any, most: int = 2**31) -> int:
    read = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
    if type(read) is not int or not 0 <= read < most:
        raise ValueError("a whole number, 0 or more")
    return read


def _large_count(value: Any) -> int:
    return _count(value, 2**63)


def _object(value: Any) -> dict[str, Any]:
    try:
        read = msgspec.json.decode(value) if isinstance(value, str | bytes) else value
    except (msgspec.DecodeError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise ValueError("a JSON object")  # noqa: TRY004 - one kind of mistake
    return read


_KINDS: dict[str, Callable[[Any], Any]] = {
    "id": _uuid,
    "session_id": _uuid,
    "project": _project,
    "name": _name,
    **dict.fromkeys(TIME_COLUMNS, _time),
    **dict.fromkeys(JSON_COLUMNS, _object),
    "lat": _degrees(90),
    "lon": _degrees(180),
    **dict.fromkeys(("pages", "events", "interactions", "engaged_ms"), _count),
}
