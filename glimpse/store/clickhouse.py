"""The ClickHouse store: a server's, or the engine in this process (chDB).

Rule of this module: ClickHouse has no transaction over tables, so a lot is written ahead as one row of `lots`, which is
the moment it is committed. All else follows from that row and may be written again by anybody: rows replace themselves
by key and version, an insert that comes again is known by the lot's name, and the ledger, which comes last, has sums.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from glimpse.errors import GlimpseError, StoreRefused
from glimpse.events import Event, Merge
from glimpse.store.clickhouse_asker import ClickHouseAsker
from glimpse.store.clickhouse_client import Place, failures
from glimpse.store.clickhouse_lot import Expiry, WrittenLot, name_of
from glimpse.store.clickhouse_reads import ClickHouseReads
from glimpse.store.rows import (
    EVENT_COLUMNS,
    SESSION_COLUMNS,
    TOTAL_COLUMNS,
    events_table,
    sessions_table,
    totals_table,
)
from glimpse.store.store import EXPIRED, Lot

LEDGER_COLUMNS = ("project", "outcome", "events")
_MOVED = ", ".join("{kept:UUID}" if name == "session_id" else name for name in EVENT_COLUMNS)
_MOVE = (
    f"INSERT INTO events ({', '.join(EVENT_COLUMNS)}, version) SELECT {_MOVED}, {{version:UInt64}} FROM events"
    " WHERE project = {project:String} AND session_id = {gone:UUID}"
    " AND time >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')"
)
_UNDONE = (
    "SELECT payload FROM lots WHERE payload != ''"
    " AND (writer, lot) NOT IN (SELECT writer, entry_id FROM ledger WHERE outcome = 'lot')"
)
_ACCOUNT = (
    "SELECT project, outcome, events FROM ledger WHERE writer = {writer:String} AND outcome NOT IN ('lot', 'position')"
)


class ClickHouseStore(ClickHouseReads):
    """Writes lots, and gives back what a restarted drain needs. Every method blocks: call it off the loop.

    Parameters
    ----------
    place
        Where it is.
    """

    rest_s = 1.0  # each insert is a part on its disk, which has to be merged with others

    def __init__(self, place: Place) -> None:
        self._place = place
        self.place = place.named
        self._client = place.connect()
        super().__init__(self._client)
        try:
            with failures("the store's tables can't be brought up to date"):
                _migrate(self._client)
                self.tables = _tables(self._client)
        except BaseException:
            self._client.close()
            raise
        self._askers: list[ClickHouseAsker] = []
        self._writer = uuid4().hex
        self._account: Counter[tuple[str, str]] = Counter()  # what this writer's lots did, as far as they are done
        self._begun: WrittenLot | None = None  # a lot of which is not known how far it came
        self._finished = ""  # the one that was written to its end before another, and may come again
        self._lots = 0
        self._version = 0
        self.positions()

    @classmethod
    def open(cls, url: str, data_dir: Path) -> ClickHouseStore:
        """Open the store that an address names, and write to its end what a crash left half written.

        Raises
        ------
        SettingsError
            When the address is none.
        StoreUnavailable
            When the server does not answer, or does not let us in.
        """
        return cls(Place.read(url, data_dir))

    def close(self) -> None:
        """Let go of it."""
        with contextlib.suppress(GlimpseError):
            if self._begun is None and self._lots:
                self._strike_out(self._writer, self._version)
        for client in [*self._askers, self._client]:
            with contextlib.suppress(Exception):  # a server that is away can't be told
                client.close()

    def size_bytes(self) -> None:
        """Leave it to `system.parts`: to ask takes a while."""

    def asker(self) -> ClickHouseAsker:
        """Return another way to read, for one thread."""
        asker = ClickHouseAsker(self._place)
        self._askers.append(asker)
        return asker

    def rows(self, question: ir.Table) -> list[dict[str, Any]]:
        """Return the rows that answer a question."""
        return self._client.query_arrow(ibis.to_sql(question, dialect="clickhouse"), use_strings=True).to_pylist()

    # -- writing ---------------------------------------------------------------------------------------------------

    def commit(self, lot: Lot) -> None:
        """Write a lot. When it can't be finished now, it is when it comes again, or before anything else is written.

        Raises
        ------
        StoreUnavailable
            When the server does not answer, or can't write now.
        StoreRefused
            When a row can't be stored at all: nothing of the lot counts.
        """
        name = name_of(lot, self._lots, self._writer)
        self._finish_other(name)
        if name == self._finished:
            return
        version = self._versions(len(lot.merges) + 2)
        self._write(WrittenLot.of(lot, self._writer, name, version, self._account_with(lot.counts)))

    def refused(self, rows: Sequence[Event]) -> list[tuple[Event, str]]:
        """Return the rows that the store can't take, each with the reason; found by halving, nothing is kept."""
        try:
            table = events_table(rows)
            with failures("the store can't take it"):
                self._client.command("CREATE TABLE IF NOT EXISTS events_tried AS events ENGINE = Null")
                self._client.insert_arrow("events_tried", table)
            return []
        except (StoreRefused, pa.ArrowException, UnicodeError, OverflowError) as problem:
            if len(rows) == 1:
                return [(rows[0], f"the store can't take it: {problem}")]
        half = len(rows) // 2
        return self.refused(rows[:half]) + self.refused(rows[half:])

    def positions(self) -> dict[int, str]:
        """Return how far each shard is stored, when what any writer left half written is written to its end."""
        with failures("the store can't be read"):
            for (payload,) in self._client.query(_UNDONE).result_rows:
                left = WrittenLot.read(payload)
                self._apply(left)
                self._strike_out(left.writer, left.version)
            self._begun = None
            mine = self._client.query(_ACCOUNT, {"writer": self._writer}).result_rows
            self._account = Counter({(project, outcome): events for project, outcome, events in mine})
            ((newest,),) = self._client.query("SELECT max(version) FROM ledger").result_rows
        self._version = max(self._version, newest or 0)
        return self._positions()

    def expire(self, project: str, before_ms: int, most: int) -> int:  # noqa: ARG002 - ClickHouse deletes all at once
        """Delete a project's events from before a time, and its sessions; return how many events."""
        name = f"{self._writer}:{self._lots}"
        self._finish_other(name)
        gone = self._count_before(project, before_ms)
        if gone:
            account = self._account_with(Counter({(project, EXPIRED): gone}))
            lot = WrittenLot.of(Lot(), self._writer, name, self._versions(1), account)
            lot.expiry = Expiry(project, before_ms)
            self._write(lot)
        return gone

    # -- inside ----------------------------------------------------------------------------------------------------

    def _versions(self, count: int) -> int:
        """Return the first of some versions that are higher than all that this store has seen."""
        first = max(self._version + 1, time.time_ns())
        self._version = first + count
        return first

    def _account_with(self, counts: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
        account = self._account.copy()
        account.update(counts)  # a sum of counters would leave out what is below zero: a letter that is played again
        return account

    def _finish_other(self, name: str) -> None:
        if self._begun is not None and self._begun.name != name:
            begun = self._begun
            self._write(begun)
            self._finished = begun.name

    def _write(self, lot: WrittenLot) -> None:
        """Write a lot ahead, then to its end."""
        # What no column can hold shows here, before anything is written.
        events = events_table(lot.rows) if lot.rows else None
        self._begun = lot
        try:
            with failures("the store can't commit"):
                self._insert("lots", _one_row(writer=lot.writer, lot=lot.name, payload=lot.payload), lot.version, None)
                self._apply(lot, events)
        except StoreRefused:
            self._strike_out(lot.writer, self._versions(1))
            self._begun = None
            raise
        self._begun = None
        self._lots += 1
        self._account = Counter({(project, outcome): events for project, outcome, events in lot.account})

    def _apply(self, lot: WrittenLot, events: Any = None) -> None:
        """Write what follows from a lot. To do so again changes nothing."""
        if lot.rows:
            self._insert("events", events_table(lot.rows) if events is None else events, lot.version, lot.name)
        if lot.sessions:
            self._insert("sessions", sessions_table(lot.sessions), lot.version, lot.name)
        for number, merge in enumerate(lot.merges):
            self._move(merge, lot.version + 1 + number)
        if lot.totals:
            self._insert("imported_totals", totals_table(lot.totals), lot.version, None)
        if lot.expiry:
            self._delete_before(lot.expiry)
        self._insert("ledger", _ledger_of(lot), lot.version, None)

    def _insert(self, table: str, rows: Any, version: int, token: str | None) -> None:
        versions = pa.array([version] * len(rows), pa.uint64())
        settings = {"insert_deduplication_token": f"{token}/{table}"} if token else {}
        self._client.insert_arrow(table, rows.append_column("version", versions), settings=settings)

    def _move(self, merge: Merge, version: int) -> None:
        asked = {"kept": merge.kept, "project": merge.project, "gone": merge.gone, "since": merge.since}
        self._client.command(_MOVE, {**asked, "version": version})
        gone = _one_row(project=merge.project, id=merge.gone)
        self._insert("sessions", gone.append_column("is_gone", pa.array([1], pa.uint8())), version, None)

    def _delete_before(self, expiry: Expiry) -> None:
        asked = {"project": expiry.project, "before": expiry.before_ms}
        of_project = "project = {project:String} AND"
        before = "< fromUnixTimestamp64Milli({before:Int64}, 'UTC')"
        self._client.command(f"DELETE FROM events WHERE {of_project} time {before}", asked)
        # What says that a session is part of another stays: the one that it was may be there, not yet merged away.
        self._client.command(f"DELETE FROM sessions WHERE {of_project} is_gone = 0 AND last_seen_at {before}", asked)

    def _strike_out(self, writer: str, version: int) -> None:
        """Say that there is nothing left to do of a writer's last lot."""
        with failures("the store can't commit"):
            self._insert("lots", _one_row(writer=writer, lot="", payload=""), version + 1, None)


def _one_row(**values: str) -> Any:
    return pa.table({name: pa.array([value], pa.string()) for name, value in values.items()})


def _ledger_of(lot: WrittenLot) -> Any:
    rows: list[tuple[str, str, str, int, int, str]] = [
        *((project, outcome, lot.writer, -1, events, "") for project, outcome, events in lot.account),
        *(("", "position", "", shard, 0, entry_id) for shard, entry_id in lot.positions),
        ("", "lot", lot.writer, -1, 0, lot.name),
    ]
    names = ("project", "outcome", "writer", "shard", "events", "entry_id")
    kinds = {"shard": pa.int32(), "events": pa.int64()}
    columns = [
        pa.array(values, kinds.get(name, pa.string()))
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    ]
    return pa.table(columns, names=list(names))


def _tables(client: Any) -> Mapping[str, ir.Table]:
    backend = ibis.clickhouse.from_connection(client)
    columns: dict[str, Sequence[str]] = {
        "events": EVENT_COLUMNS,
        "sessions": SESSION_COLUMNS,
        "ledger": LEDGER_COLUMNS,
        "imported_totals": TOTAL_COLUMNS,
    }
    return {name: _table(backend, name, shown) for name, shown in columns.items()}


def _table(backend: Any, name: str, columns: Sequence[str]) -> ir.Table:
    """Return a table of columns any of which may be null: Ibis takes `LowCardinality(Nullable(…))` for never null."""
    schema = ibis.schema({column: kind(nullable=True) for column, kind in backend.table(name).schema().items()})
    return ops.DatabaseTable(name=name, schema=schema, source=backend).to_expr()[list(columns)]


def _migrate(client: Any) -> None:
    client.command(
        "CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String) ENGINE = ReplacingMergeTree ORDER BY number"
    )
    done = {number for (number,) in client.query("SELECT number FROM migrations").result_rows}
    folder = resources.files("glimpse.store") / "migrations" / "clickhouse"
    for name, sql in sorted((item.name, item.read_text()) for item in folder.iterdir() if item.name.endswith(".sql")):
        number = int(name.split("_", 1)[0])
        if number not in done:
            for statement in sql.split(";\n"):
                if statement.strip():
                    client.command(statement.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1))
            client.insert("migrations", [[number, name]], column_names=["number", "name"])
