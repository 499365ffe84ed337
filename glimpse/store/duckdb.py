"""The DuckDB store: one file, one owner, one transaction a lot.

Rule of this module: everything that follows from a run of stream entries is committed together, or not at all.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from glimpse.errors import StoreLost, StoreRefused, StoreUnavailable
from glimpse.events import Event, ImportedTotal, Merge, Session
from glimpse.store.compiled import CompiledQuestions
from glimpse.store.duckdb_asker import DuckAsker, positions_of, rows_of
from glimpse.store.duckdb_file import MEMORY_MB, corrupt, open_file
from glimpse.store.rows import (
    EVENT_COLUMNS,
    SESSION_COLUMNS,
    TIME_COLUMNS,
    TOTAL_COLUMNS,
    event_of,
    events_table,
    sessions_table,
    totals_table,
)
from glimpse.store.store import A_SLICE_MS, EXPIRED, IdsSince, Lot, Pair, pieces_of

# What a row that no column can hold raises; a full disk is `StoreUnavailable` instead.
UNSTORABLE = (StoreRefused, duckdb.Error, pa.ArrowException, UnicodeError, OverflowError)
# What no row is to blame for: the disk, the memory that questions have taken, a transaction that ended by either.
_UNAVAILABLE = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.TransactionException)


class DuckStore:
    """Writes lots, and gives back what a restarted drain needs. Every method blocks: call it off the loop."""

    rest_s = 0.0

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._questions = CompiledQuestions()
        self.path = path
        self.place = os.fspath(path)
        # Ibis sets options, so it comes before they are locked. It only compiles; cursors run what it made.
        backend = ibis.duckdb.from_connection(connection.cursor())
        self.tables = {name: backend.table(name) for name in ("events", "sessions", "ledger", "imported_totals")}
        connection.execute("SET lock_configuration = true")

    @classmethod
    def open(cls, data_dir: Path, memory_mb: int = MEMORY_MB) -> DuckStore:
        """Open or make `glimpse.duckdb` in a folder and bring its tables up to date.

        Parameters
        ----------
        data_dir
            The folder.
        memory_mb
            The most that is held in memory, blocks of the file included; questions that need more spill to
            `glimpse.duckdb.tmp` beside it.

        Raises
        ------
        StoreLocked
            When another process holds the file; the message has its process id.
        StoreCorrupt
            When the file is there but is no sound store. It is left as it is.
        """
        connection, path = open_file(data_dir, memory_mb)
        try:
            return cls(connection, path)
        except duckdb.Error as problem:
            connection.close()
            raise corrupt(path, problem) from problem

    def close(self) -> None:
        """Write a checkpoint and let go of the file, in whatever state it is."""
        with contextlib.suppress(duckdb.FatalException):
            self._connection.close()

    def rows(self, question: ir.Table) -> list[dict[str, Any]]:
        """Return the rows that answer a question."""
        return rows_of(self.reader(), question)

    def reader(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor of its own, for one thread's reading."""
        return self._connection.cursor()

    def size_bytes(self) -> int:
        """Return how large the file is, with its log."""
        files = (self.path, self.path.with_name(f"{self.path.name}.wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def asker(self) -> DuckAsker:
        """Return another way to read, for one thread."""
        return DuckAsker(self.reader(), self.tables["ledger"], self._questions)

    def commit(self, lot: Lot) -> None:
        """Write a lot in one transaction.

        Raises
        ------
        StoreUnavailable
            When the disk or the memory is full: nothing of the lot is stored, and it may be tried again.
        StoreLost
            When the database has failed for good, as far as this connection goes: nothing of the lot is stored.
        duckdb.Error
            When a row can't be stored at all.
        """
        cursor = self._connection
        try:
            cursor.begin()
            self._insert_rows(lot.rows, lot.pause_s)
            self._put_sessions(lot.sessions, lot.pause_s)
            self._merge_sessions(lot.merges)
            self._put_totals(lot.totals)
            self._add_counts(lot.counts)
            for shard, entry_id in lot.positions.items():
                cursor.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", [_stream_name(shard), entry_id])
            cursor.commit()
        except Exception as problem:
            self._roll_back()
            _raise_if_away(problem)
            raise

    def refused(self, rows: Sequence[Event]) -> list[tuple[Event, str]]:
        """Return the rows that the store can't take, each with the reason; found by halving, nothing is kept.

        Raises
        ------
        StoreUnavailable, StoreLost
            As `commit` does: what a row is can't be told now.
        """
        try:
            self._connection.begin()
            self._insert_rows(rows)
            return []
        except UNSTORABLE as problem:
            _raise_if_away(problem)
            if len(rows) == 1:
                return [(rows[0], f"the store can't take it: {problem}")]
        finally:
            self._roll_back()
        half = len(rows) // 2
        return self.refused(rows[:half]) + self.refused(rows[half:])

    def positions(self) -> dict[int, str]:
        """Return, for each shard that was drained, the last stream entry whose events are all stored."""
        return positions_of(self._connection)

    def known_ids(self, wanted: Sequence[Pair], since_ms: int) -> set[Pair]:
        """Return those of the (project, id) pairs whose events were stored since a time."""
        if not wanted:
            return set()
        found = self.reader().execute(
            f"SELECT e.project, e.id::VARCHAR FROM events e JOIN {_ASKED}"
            " ON e.id = asked.id AND e.project = asked.project WHERE e.received_at >= make_timestamp_ms($since)",
            _asked(wanted) | {"since": since_ms},
        )
        return {(project, event_id) for project, event_id in found.fetchall()}

    def recent_events(self, since_ms: int, limit: int) -> list[Event]:
        """Return the newest events received since a time, oldest first; at most `limit`."""
        # Whole rows put in order by DuckDB may take more memory than it has; their times alone don't.
        newest = self.reader().execute(
            "SELECT min(received_at) FROM (SELECT received_at FROM events"
            " WHERE received_at >= make_timestamp_ms(?)::TIMESTAMP_MS ORDER BY received_at DESC LIMIT ?)",
            [since_ms, limit],
        )
        found = self.reader().execute(
            f"SELECT {plain(EVENT_COLUMNS, 'events')} FROM events WHERE received_at >= ?", newest.fetchone()
        )
        events = sorted(map(event_of, found.fetchall()), key=lambda event: event.received_at)
        return events[max(0, len(events) - limit) :]

    def recent_ids(self, since_ms: int, until_ms: int, most: int) -> Iterator[IdsSince]:
        """Give the ids of the events received in a span, in pieces, the newest first; at most `most`."""
        counts = self.reader().execute(
            f"SELECT epoch_ms(received_at::TIMESTAMP) // {A_SLICE_MS} AS slice, count(*) FROM events"
            f" WHERE {_RECEIVED} GROUP BY slice ORDER BY slice DESC",
            [since_ms, until_ms],
        )
        for began in pieces_of(counts.fetchall(), since_ms, most):
            ids = self.reader().sql(f"SELECT id::VARCHAR FROM events WHERE {_RECEIVED}", params=[began, until_ms])
            texts = b"".join(memoryview(lot.column(0).buffers()[2])[: 36 * len(lot)] for lot in ids.to_arrow_reader())
            yield IdsSince(began, np.frombuffer(texts, "S36"))
            until_ms = began

    def recent_sessions(self, since_ms: int) -> list[Session]:
        """Return the sessions last seen since a time: those that may still be open, and ids that are taken."""
        return self._sessions_where("WHERE s.last_seen_at >= make_timestamp_ms($since)", {"since": since_ms})

    def events_of(self, sessions: Sequence[Pair]) -> list[Event]:
        """Return all events of some sessions, by project and id."""
        found = self.reader().execute(
            f"SELECT {plain(EVENT_COLUMNS, 'e')} FROM events e JOIN {_ASKED}"
            " ON e.session_id = asked.id AND e.project = asked.project",
            _asked(sessions),
        )
        return [event_of(values) for values in found.fetchall()]

    def sessions_of(self, pairs: Sequence[Pair]) -> list[Session]:
        """Return some sessions by project and id; those that are there."""
        return self._sessions_where(f"JOIN {_ASKED} ON s.id = asked.id AND s.project = asked.project", _asked(pairs))

    def totals_known(self, pairs: Sequence[Pair]) -> int:
        """Return how many of some imported totals are there."""
        found = self.reader().execute(
            f"SELECT count(*) FROM imported_totals t JOIN {_ASKED} ON t.id = asked.id AND t.project = asked.project",
            _asked(pairs),
        )
        return found.fetchall()[0][0]

    def projects(self) -> list[str]:
        """Return every project that has events or sessions, layers too."""
        found = self.reader().execute("SELECT project FROM events UNION SELECT project FROM sessions ORDER BY project")
        return [project for (project,) in found.fetchall()]

    def expire(self, project: str, before_ms: int, most: int) -> int:
        """Delete some of a project's events from before a time, at the end its sessions too; return how many events."""
        with self.reader() as cursor:
            try:
                return _expire(cursor, project, before_ms, most)
            except duckdb.Error as problem:
                raise StoreUnavailable(f"what is too old can't be deleted now: {problem}") from problem

    # -- inside ----------------------------------------------------------------------------------------------------

    def _sessions_where(self, condition: str, values: Mapping[str, Any]) -> list[Session]:
        names = [name for name in SESSION_COLUMNS if name in Session.__struct_fields__]
        found = self.reader().execute(f"SELECT {plain(names, 's')} FROM sessions s {condition}", dict(values))
        return [Session(**dict(zip(names, values, strict=True))) for values in found.fetchall()]

    def _insert_rows(self, rows: Sequence[Event], pause_s: float = 0.0) -> None:
        if rows:
            self._insert("events", EVENT_COLUMNS, events_table(rows, pause_s))

    def _put_sessions(self, sessions: Sequence[Session], pause_s: float) -> None:
        if not sessions:
            return
        table = sessions_table(sessions, pause_s)
        self._connection.register("incoming", table)
        self._connection.execute(
            "DELETE FROM sessions USING incoming"
            " WHERE sessions.id = incoming.id::UUID AND sessions.project = incoming.project"
            " AND sessions.last_seen_at >= (SELECT min(started_at) FROM incoming)",
        )
        self._insert("sessions", SESSION_COLUMNS, table)

    def _put_totals(self, totals: Sequence[ImportedTotal]) -> None:
        if not totals:
            return
        table = totals_table(totals)
        self._connection.register("incoming", table)
        self._connection.execute(
            "DELETE FROM imported_totals old USING incoming"
            " WHERE old.id = incoming.id::UUID AND old.project = incoming.project"
        )
        self._insert("imported_totals", TOTAL_COLUMNS, table)

    def _merge_sessions(self, merges: Sequence[Merge]) -> None:
        for merge in merges:
            self._connection.execute(
                "UPDATE events SET session_id = ?::UUID"
                " WHERE project = ? AND session_id = ?::UUID AND time >= make_timestamp_ms(?)",
                [merge.kept, merge.project, merge.gone, merge.since],
            )
            self._connection.execute(
                "DELETE FROM sessions WHERE project = ? AND id = ?::UUID", [merge.project, merge.gone]
            )

    def _insert(self, table: str, columns: Sequence[str], rows: Any) -> None:
        self._connection.register("incoming", rows)
        names = ", ".join(columns)
        self._connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming")
        self._connection.unregister("incoming")

    def _add_counts(self, counts: Counter[tuple[str, str]]) -> None:
        for (project, outcome), events in counts.items():
            _count(self._connection, project, outcome, events)

    def _roll_back(self) -> None:
        try:
            self._connection.rollback()
        except duckdb.Error:  # the transaction ended with the failure itself
            return


def _raise_if_away(problem: Exception) -> None:
    if isinstance(problem, duckdb.FatalException):
        raise StoreLost(f"the store has failed and is opened again: {problem}") from problem
    if isinstance(problem, _UNAVAILABLE):
        raise StoreUnavailable(f"the store can't commit: {problem}") from problem


def plain(columns: Sequence[str], table: str) -> str:
    """Return a table's columns as records hold them: times as epoch ms, UUIDs as text."""
    as_text = {name: f"{table}.{name}::VARCHAR" for name in ("id", "session_id")}
    as_ms = {name: f"epoch_ms({table}.{name}::TIMESTAMP)" for name in TIME_COLUMNS}
    return ", ".join((as_text | as_ms).get(name, f"{table}.{name}") for name in columns)


def _stream_name(shard: int) -> str:
    return f"events:{shard}" if shard else "events"  # as it was named before there were shards


def _count(cursor: duckdb.DuckDBPyConnection, project: str, outcome: str, events: int) -> None:
    cursor.execute(
        "INSERT INTO ledger VALUES (?, ?, ?)"
        " ON CONFLICT (project, outcome) DO UPDATE SET events = ledger.events + excluded.events",
        [project, outcome, events],
    )


def _expire(cursor: duckdb.DuckDBPyConnection, project: str, before_ms: int, most: int) -> int:
    cursor.begin()
    gone = cursor.execute(
        "DELETE FROM events WHERE rowid IN"
        " (SELECT rowid FROM events WHERE project = ? AND time < make_timestamp_ms(?) LIMIT ?)",
        [project, before_ms, most],
    ).fetchall()[0][0]
    if gone < most:
        cursor.execute(
            "DELETE FROM sessions WHERE project = ? AND last_seen_at < make_timestamp_ms(?)", [project, before_ms]
        )
    if gone:
        _count(cursor, project, EXPIRED, gone)
    cursor.commit()
    return gone


_RECEIVED = "received_at >= make_timestamp_ms(?)::TIMESTAMP_MS AND received_at < make_timestamp_ms(?)::TIMESTAMP_MS"
_ASKED = "(SELECT unnest($projects) AS project, unnest($ids)::UUID AS id) asked"


def _asked(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {"projects": [project for project, _ in pairs], "ids": [one for _, one in pairs]}
