"""Records as columns: Arrow tables of events and sessions, in the order of the store's tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa

from glimpse.events import OWN_COLUMNS, SESSION_MEMORY, Event, ImportedTotal, Session, SketchedContext

TIME_COLUMNS = ("time", "received_at", "started_at", "last_seen_at", "entry_at", "exit_at", "day")
JSON_COLUMNS = frozenset({"properties", "context", "traits"})
# Of a column, at once: Arrow lets no other thread run Python while it reads a list, and the drain waits for its turn.
AT_ONCE = 1_000
_TIME = pa.timestamp("ms")
_TEXT = pa.string()
_encode = msgspec.json.Encoder().encode

_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(TIME_COLUMNS, _TIME),
    **dict.fromkeys(("lat", "lon", "duration_s"), pa.float64()),
    **dict.fromkeys(("pages", "events", "interactions"), pa.int32()),
    "engaged_ms": pa.int64(),
    "is_bounce": pa.bool_(),
}

EVENT_COLUMNS = Event.__struct_fields__
_OWN = [name for name in EVENT_COLUMNS if name in OWN_COLUMNS]
_SHARED = [name for name in EVENT_COLUMNS if name not in OWN_COLUMNS]  # by events of one sketch
SESSION_COLUMNS = (
    *(name for name in Session.__struct_fields__ if name not in SESSION_MEMORY),
    "duration_s",
    "is_bounce",
)


TOTAL_COLUMNS = ImportedTotal.__struct_fields__
COUNT_COLUMNS = ("visitors", "visits", "page_views", "events", "bounces", "visit_duration_s")  # of totals


def make_ready() -> None:
    """Have Arrow import what it looks for with its first column: pandas, 0.15 s of Python's lock."""
    pa.array([""])


def events_table(rows: Sequence[Event], pause_s: float = 0.0) -> Any:  # a pyarrow.Table: pyarrow has no types
    """Return events as one Arrow table, a column per field; properties, context and traits as JSON text.

    Parameters
    ----------
    pause_s
        Seconds that this thread sleeps after each thousand values, so that others can run Python.
    """
    # Of those drawn from one sketch, what they share is looked up once, and repeated without Python.
    keys = [id(row.context) if type(row.context) is SketchedContext else id(row) for row in rows]
    _, firsts, places = np.unique(np.array(keys, np.int64), return_index=True, return_inverse=True)
    unlike, places = [rows[first] for first in firsts.tolist()], pa.array(places)
    columns = _columns(rows, _OWN, pause_s)
    columns |= {name: one.combine_chunks().take(places) for name, one in _columns(unlike, _SHARED, pause_s).items()}
    return pa.table({name: columns[name] for name in EVENT_COLUMNS})


def sessions_table(rows: Sequence[Session], pause_s: float = 0.0) -> Any:
    """Return sessions as one Arrow table; the visitor hash stays out of it."""
    return pa.table(_columns(rows, SESSION_COLUMNS, pause_s))


def totals_table(rows: Sequence[ImportedTotal]) -> Any:
    """Return imported totals as one Arrow table."""
    kinds = dict.fromkeys(COUNT_COLUMNS, pa.int64()) | {"day": _TIME}
    columns = [pa.array(list(map(attrgetter(name), rows)), kinds.get(name, _TEXT)) for name in TOTAL_COLUMNS]
    return pa.table(columns, names=list(TOTAL_COLUMNS))


def _columns(rows: Sequence[Any], names: Sequence[str], pause_s: float) -> dict[str, Any]:
    parts: dict[str, list[Any]] = {name: [] for name in names}
    facts_of = attrgetter(*names)
    for first in range(0, len(rows), AT_ONCE):
        # Each row is looked at once: by the next column it would have left the processor's cache.
        for name, values in zip(names, zip(*map(facts_of, rows[first : first + AT_ONCE]), strict=True), strict=True):
            parts[name].append(_part(values, name, _TYPES.get(name, _TEXT)))
            if pause_s:
                time.sleep(pause_s)
    return {name: pa.chunked_array(some, _TYPES.get(name, _TEXT)) for name, some in parts.items()}


def _part(values: Sequence[Any], name: str, kind: Any) -> Any:
    if values[0] is None and values.count(None) == len(values):
        return pa.nulls(len(values), kind)  # as many columns of a lot are: each then costs nothing to make and to store
    if name in JSON_COLUMNS:
        nothing = None if name == "traits" else b"{}"
        values = [_encode(value) if value else nothing for value in values]  # Arrow takes JSON for text
    return pa.array(values, type=kind)


def event_of(values: Sequence[Any]) -> Event:
    """Return an event's columns as a record; times are epoch ms, UUIDs text."""
    facts = dict(zip(EVENT_COLUMNS, values, strict=True))
    for name in JSON_COLUMNS:
        text = facts[name]
        if text is not None:
            facts[name] = {} if text == "{}" else msgspec.json.decode(text)
    return Event(**facts)


def as_record(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as the read side shows it: times in epoch ms, UUIDs as text, JSON columns as objects."""
    return {name: _shown(name, value) for name, value in row.items()}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return epoch_ms_of(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):  # DuckDB's sum of whole numbers
        return int(value)
    if name in JSON_COLUMNS and value is not None:
        return msgspec.json.decode(value)
    return value


def epoch_ms_of(time: datetime) -> int:
    """Return a time of the store as epoch milliseconds."""
    return round((time.replace(tzinfo=None) - _EPOCH).total_seconds() * 1000)


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the store's times are UTC without a zone
