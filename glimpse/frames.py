"""Answers as frames and tables: rows of JSON's types in, columns of pandas' and Ibis' types out.

Rule of this module: a column has its type whether there are rows or not, and a time is a timestamp, UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from glimpse.events import Event

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

# Columns of answers that are times.
_TIMES = ["time", "received_at", "started_at", "last_seen_at", "entry_at", "exit_at", "day", "since", "until", "last"]


def event_table(rows: list[dict[str, Any]]) -> ir.Table:
    """Return events as an Ibis table in memory: every column of `Event` is there, also without rows.

    `time` and `received_at` are timestamps, UTC; `properties` and `context` texts of JSON; `lat` and `lon` numbers in
    degrees; all else texts. What is not known is null.
    """
    import ibis  # noqa: PLC0415 - only who asks pays for it
    import pandas as pd  # noqa: PLC0415 - likewise

    frame = pd.DataFrame(rows, columns=list(Event.__struct_fields__))
    for name in ("time", "received_at"):
        frame[name] = pd.to_datetime(frame[name].astype("int64"), unit="ms", utc=True)
    for name in ("properties", "context"):
        frame[name] = [_as_json(value) for value in frame[name]]
    for name in frame.columns.difference(["time", "received_at", "lat", "lon"]):
        frame[name] = frame[name].astype("string")
    return ibis.memtable(frame.astype({"lat": "float64", "lon": "float64"}))


def answer_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return an answer's rows as a frame of its columns; those that are times as timestamps, UTC."""
    import pandas as pd  # noqa: PLC0415 - only who asks pays for it

    frame = pd.DataFrame(rows)
    for name in frame.columns.intersection(_TIMES):
        frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="ms", utc=True)
    return frame


def _as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
