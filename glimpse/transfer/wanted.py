"""What of the store is to be given out, and the questions that this comes down to: rows, and how many a minute.

Rule of this module: a question's order is total (time, then id), so that where one table ends the next can go on.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false, reportOperatorIssue=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import ibis
import ibis.expr.types as ir
import msgspec
import pyarrow as pa

from glimpse.events import SIGNS_OF_LIFE
from glimpse.filters import as_filter
from glimpse.filters.expression import kept_events, kept_sessions
from glimpse.store.questions.scope import ALL_PROJECTS, LAST_MS, in_project
from glimpse.store.rows import EVENT_COLUMNS, JSON_COLUMNS, SESSION_COLUMNS, TIME_COLUMNS, TOTAL_COLUMNS, epoch_ms_of

_encode = msgspec.json.Encoder().encode
MINUTE_MS = 60_000
PLACE = ["place_time", "place_id"]  # the columns that tell where a row stands, beside those that are wanted


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one table. `as_json` has each row as one text, beside its time and its id."""

    table: Literal["events", "sessions", "imported_totals"] = "events"
    project: str = ALL_PROJECTS
    since: int = 0  # epoch ms, [since, until)
    until: int = LAST_MS
    where: dict[str, Any] | None = None  # a filter, as JSON
    session: str | None = None  # events of this one only
    after: str | None = None  # `<epoch ms>:<id>` of the row before the first
    limit: int | None = None
    is_newest_first: bool = False
    has_signs_of_life: bool = True
    has_layers: bool = False  # with project "*": those of bots too
    as_json: bool = False


class Place(NamedTuple):
    """Where a table ended."""

    time: int
    id: str

    @classmethod
    def read(cls, text: str) -> Place:
        """Return a place that is written `<epoch ms>:<id>`."""
        time, _, row = text.partition(":")
        return cls(int(time), row)

    @classmethod
    def of_row(cls, table: Any, row: int) -> Place:
        """Return the place of a row of a table that has the columns `PLACE`."""
        return cls(*(table[name][row].as_py() for name in PLACE))

    def __str__(self) -> str:
        return f"{self.time}:{self.id}"


class _Table(NamedTuple):
    columns: tuple[str, ...]
    time: str


TABLES = {
    "events": _Table(EVENT_COLUMNS, "time"),
    "sessions": _Table(SESSION_COLUMNS, "started_at"),
    "imported_totals": _Table(TOTAL_COLUMNS, "day"),
}
_IDS = frozenset({"id", "session_id"})


def kept(wanted: Wanted, tables: Mapping[str, ir.Table]) -> ir.Table:
    """Return the rows that are wanted, of all times."""
    if wanted.table == "imported_totals":
        return _of_project(tables["imported_totals"], wanted)
    where = as_filter(wanted.where)
    if wanted.table == "sessions":
        return kept_sessions(where, _of_project(tables["sessions"], wanted), _of_project(tables["events"], wanted))
    events = _of_project(tables["events"], wanted)
    if not wanted.has_signs_of_life:
        events = events.filter(events.name.notin(sorted(SIGNS_OF_LIFE)))
    if wanted.session:
        events = events.filter(events.session_id == ibis.uuid(wanted.session))
    return kept_events(where, events, tables["sessions"])


def _of_project(table: ir.Table, wanted: Wanted) -> ir.Table:
    return table if wanted.has_layers and wanted.project == ALL_PROJECTS else in_project(table, wanted.project)


class _Sql:
    """A query of ours in an engine's words, with the values that are bound in it."""

    def __init__(self, engine: str) -> None:
        self._is_duck = engine == "duckdb"
        self.values: list[Any] = []

    def moment(self, epoch_ms: int) -> str:
        bound = self._bound(epoch_ms, "Int64")
        # Of the columns' own type: DuckDB tells from a block's least and greatest time whether to read it only then.
        return (
            f"make_timestamp_ms({bound})::TIMESTAMP_MS"
            if self._is_duck
            else f"fromUnixTimestamp64Milli({bound}, 'UTC')"
        )

    def place(self, place: Place) -> str:
        moment = self.moment(place.time)
        if self._is_duck:
            return f"({moment}, {self._bound(place.id, 'String')}::UUID)"
        return f"({moment}, {self._bound(place.id, 'String')})"

    def epoch_ms(self, column: str) -> str:
        return f"epoch_ms({column}::TIMESTAMP)" if self._is_duck else f"toUnixTimestamp64Milli({column})"

    def minute(self, column: str) -> str:
        ms = self.epoch_ms(column)
        return f"{ms} // {MINUTE_MS}" if self._is_duck else f"intDiv({ms}, {MINUTE_MS})"

    def text(self, column: str) -> str:
        return f"{column}::VARCHAR" if self._is_duck else f"toString({column})"

    @property
    def order(self) -> str:
        """The id as what sorts by its text."""
        return "id" if self._is_duck else "toString(id)"

    def _bound(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return "?" if self._is_duck else f"{{p{len(self.values) - 1}:{kind}}}"


def per_minute_sql(engine: str, rows_sql: str, wanted: Wanted) -> tuple[str, list[Any]]:
    """Return the question how many rows there are in each minute: columns minute (since the epoch), count."""
    sql, time = _Sql(engine), TABLES[wanted.table].time
    spanned = f"{time} >= {sql.moment(wanted.since)} AND {time} < {sql.moment(wanted.until)}"
    text = (
        f"SELECT {sql.minute(time)} AS minute, count(*) AS rows FROM ({rows_sql}) AS found"
        f" WHERE {spanned} GROUP BY minute ORDER BY minute"
    )
    return text, sql.values


def page_sql(
    engine: str,
    rows_sql: str,
    wanted: Wanted,
    span: tuple[int, int],
    after: Place | None,
    limit: int,
    *,
    in_order: bool,
) -> tuple[str, list[Any]]:
    """Return the question for the next rows of a span; the last two columns are `PLACE`.

    Not in order, it asks for any rows of the span: all of them, where that is fewer than the limit.
    """
    sql, time = _Sql(engine), TABLES[wanted.table].time
    turn, beyond = ("DESC", "<") if wanted.is_newest_first else ("ASC", ">")
    condition = f"{time} >= {sql.moment(span[0])} AND {time} < {sql.moment(span[1])}"
    if after:
        condition += f" AND ({time}, {sql.order}) {beyond} {sql.place(after)}"
    # ClickHouse gives the columns, and `as_json` makes the text of them: see there.
    shown = _as_json(wanted) if wanted.as_json and engine == "duckdb" else _as_columns(sql, wanted)
    text = (
        f"SELECT {shown}, {sql.epoch_ms(time)} AS place_time, {sql.text('id')} AS place_id"
        f" FROM ({rows_sql}) AS found WHERE {condition}"
    )
    order = f" ORDER BY {time} {turn}, {sql.order} {turn}" if in_order else ""
    return f"{text}{order} LIMIT {limit:d}", sql.values


def put_in_order(table: Any, wanted: Wanted) -> Any:
    """Return a table with its rows in the order that is wanted."""
    turn = "descending" if wanted.is_newest_first else "ascending"
    return table.sort_by([(name, turn) for name in PLACE])


def as_json(table: Any) -> Any:
    """Return a table of rows as one of texts, with the columns `PLACE` as they are."""
    columns = [name for name in table.column_names if name not in PLACE]
    rows = [
        _encode({name: _plain_value(name, value) for name, value in row.items()})
        for row in table.select(columns).to_pylist()
    ]
    texts = pa.array([row.decode() for row in rows], pa.string())
    return pa.table([texts, *(table[name] for name in PLACE)], names=["row", *PLACE])


def _plain_value(name: str, value: Any) -> Any:
    if name in JSON_COLUMNS and value is not None:
        return msgspec.Raw(value.encode())  # as it was sent, digit by digit
    return epoch_ms_of(value) if name in TIME_COLUMNS and value is not None else value


def _as_columns(sql: _Sql, wanted: Wanted) -> str:
    return ", ".join(f"{sql.text(name)} AS {name}" if name in _IDS else name for name in TABLES[wanted.table].columns)


def _as_json(wanted: Wanted) -> str:
    fields = ", ".join(f"'{name}': {_json_value(name)}" for name in TABLES[wanted.table].columns)
    return f"to_json({{{fields}}})::VARCHAR AS row"


def _json_value(name: str) -> str:
    if name in TIME_COLUMNS:
        return f"epoch_ms({name}::TIMESTAMP)"
    if name in JSON_COLUMNS:
        return f"{name}::JSON"  # as it was sent, digit by digit
    return f"{name}::VARCHAR" if name in _IDS else name
