"""Records as columns: Arrow tables of events and sessions, in the order of the store's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa

from glimpse.events import Event, Session

TIME_COLUMNS = ("time", "received_at", "started_at", "last_seen_at", "entry_at", "exit_at")
_TIME = pa.timestamp("ms")
_json = msgspec.json.Encoder()

_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(TIME_COLUMNS, _TIME),
    **dict.fromkeys(("lat", "lon", "duration_s"), pa.float64()),
    **dict.fromkeys(("pages", "events", "interactions"), pa.int32()),
    "engaged_ms": pa.int64(),
    "is_bounce": pa.bool_(),
}

EVENT_COLUMNS = Event.__struct_fields__
# The visitor hash lives in memory and Redis only.
SESSION_COLUMNS = (*(name for name in Session.__struct_fields__ if name != "visitor"), "duration_s", "is_bounce")


def events_table(rows: Sequence[Event]) -> Any:  # a pyarrow.Table: pyarrow has no types
    """Return events as one Arrow table, a column per field; properties and context as JSON text."""
    return _table(rows, EVENT_COLUMNS, {"properties": _as_json, "context": _as_json})


def sessions_table(rows: Sequence[Session]) -> Any:
    """Return sessions as one Arrow table; the visitor hash stays out of it."""
    return _table(rows, SESSION_COLUMNS, {})


def _table(rows: Sequence[Any], columns: Sequence[str], converters: dict[str, Callable[[Any], Any]]) -> Any:
    arrays = []
    for name in columns:
        convert = converters.get(name)
        values = [convert(getattr(row, name)) if convert else getattr(row, name) for row in rows]
        arrays.append(pa.array(values, type=_TYPES.get(name, pa.string())))
    return pa.table(arrays, names=list(columns))


def _as_json(value: dict[str, Any]) -> str:
    return _json.encode(value).decode() if value else "{}"


def as_record(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as the read side shows it: times in epoch ms, UUIDs as text, JSON columns as objects."""
    return {name: _shown(name, value) for name, value in row.items()}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return round((value - _EPOCH).total_seconds() * 1000)
    if isinstance(value, UUID):
        return str(value)
    if name in ("properties", "context"):
        return msgspec.json.decode(value)
    return value


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the store's times are UTC without a zone
