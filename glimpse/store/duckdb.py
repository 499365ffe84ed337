"""The DuckDB store: one file, one owner, one transaction a lot.

Rule of this module: everything that follows from a run of stream entries is committed together, or not at all.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import ibis
import msgspec
import pyarrow as pa

from glimpse.errors import StoreCorrupt, StoreLocked, StoreUnavailable
from glimpse.events import Event, Session
from glimpse.store.rows import EVENT_COLUMNS, SESSION_COLUMNS, TIME_COLUMNS, events_table, sessions_table

# What a row that no column can hold raises; a full disk is `StoreUnavailable` instead.
UNSTORABLE = (duckdb.Error, pa.ArrowException, UnicodeError, OverflowError)
# After a fatal error DuckDB refuses everything, whatever the row.
_UNAVAILABLE = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException)
FILE_NAME = "glimpse.duckdb"
_CONFIG: dict[str, Any] = {"enable_external_access": False, "preserve_insertion_order": False, "threads": 2}


class Lot(msgspec.Struct):
    """What one commit holds. `counts` are by (project, outcome); `position` is the last stream entry it covers."""

    rows: list[Event] = []
    sessions: list[Session] = []
    counts: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    position: str | None = None


class DuckStore:
    """Writes lots, and gives back what a restarted drain needs. Every method blocks: call it off the loop."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path
        # Ibis sets options, so it comes before they are locked. It only compiles; cursors run what it made.
        backend = ibis.duckdb.from_connection(connection.cursor())
        self.tables = {name: backend.table(name) for name in ("events", "sessions", "ledger")}
        connection.execute("SET lock_configuration = true")

    @classmethod
    def open(cls, data_dir: Path) -> DuckStore:
        """Open or make `glimpse.duckdb` in a folder and bring its tables up to date.

        Raises
        ------
        StoreLocked
            When another process holds the file; the message has its process id.
        StoreCorrupt
            When the file is there but is no sound store. It is left as it is.
        """
        data_dir.mkdir(parents=True, exist_ok=True)
        path = data_dir / FILE_NAME
        try:
            connection = duckdb.connect(os.fspath(path), config=_CONFIG)
        except duckdb.IOException as problem:
            if "set lock on file" in str(problem):
                raise StoreLocked(f"{path} is open in another process: {problem}") from problem
            raise StoreCorrupt(_corrupt(path, problem)) from problem
        except duckdb.Error as problem:
            raise StoreCorrupt(_corrupt(path, problem)) from problem
        try:
            _migrate(connection)
            return cls(connection, path)
        except duckdb.Error as problem:
            connection.close()
            raise StoreCorrupt(_corrupt(path, problem)) from problem

    def close(self) -> None:
        """Write a checkpoint and let go of the file."""
        self._connection.close()

    def reader(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor of its own, for one thread's reading."""
        return self._connection.cursor()

    def commit(self, lot: Lot) -> None:
        """Write a lot in one transaction.

        Raises
        ------
        StoreUnavailable
            When the disk is full or can't be written: nothing of the lot is stored, and it may be tried again.
        duckdb.Error
            When a row can't be stored at all.
        """
        cursor = self._connection
        try:
            cursor.begin()
            self._insert_rows(lot.rows)
            self._put_sessions(lot.sessions)
            self._add_counts(lot.counts)
            if lot.position:
                cursor.execute("INSERT OR REPLACE INTO positions VALUES ('events', ?)", [lot.position])
            cursor.commit()
        except Exception as problem:
            self._roll_back()
            if isinstance(problem, _UNAVAILABLE):
                raise StoreUnavailable(f"the store can't commit: {problem}") from problem
            raise

    def refused(self, rows: Sequence[Event]) -> list[tuple[Event, str]]:
        """Return the rows that the store can't take, each with the reason; found by halving, nothing is kept."""
        try:
            self._connection.begin()
            self._insert_rows(rows)
            return []
        except UNSTORABLE as problem:
            if len(rows) == 1:
                return [(rows[0], f"the store can't take it: {problem}")]
        finally:
            self._roll_back()
        half = len(rows) // 2
        return self.refused(rows[:half]) + self.refused(rows[half:])

    def position(self) -> str:
        """Return the last stream entry whose events are all stored; '0-0' at first."""
        return position_of(self._connection)

    def known_ids(self, wanted: Sequence[tuple[str, str]], since_ms: int) -> set[tuple[str, str]]:
        """Return those of the (project, id) pairs whose events were stored since a time."""
        if not wanted:
            return set()
        found = self.reader().execute(
            "SELECT e.project, e.id::VARCHAR FROM events e"
            " JOIN (SELECT unnest($projects) AS project, unnest($ids)::UUID AS id) asked"
            " ON e.id = asked.id AND e.project = asked.project WHERE e.received_at >= make_timestamp_ms($since)",
            {"projects": [project for project, _ in wanted], "ids": [name for _, name in wanted], "since": since_ms},
        )
        return {(project, event_id) for project, event_id in found.fetchall()}

    def recent_events(self, since_ms: int, limit: int) -> list[Event]:
        """Return the newest events received since a time, oldest first; at most `limit`."""
        found = self.reader().execute(
            f"SELECT {_plain(EVENT_COLUMNS)} FROM events WHERE received_at >= make_timestamp_ms(?)"
            " ORDER BY received_at DESC LIMIT ?",
            [since_ms, limit],
        )
        return [_event(values) for values in reversed(found.fetchall())]

    def recent_sessions(self, since_ms: int) -> list[Session]:
        """Return the sessions last seen since a time: those that may still be open, and ids that are taken."""
        names = [name for name in SESSION_COLUMNS if name in Session.__struct_fields__]
        found = self.reader().execute(
            f"SELECT {_plain(names)} FROM sessions WHERE last_seen_at >= make_timestamp_ms(?)", [since_ms]
        )
        return [Session(**dict(zip(names, values, strict=True))) for values in found.fetchall()]

    # -- inside ----------------------------------------------------------------------------------------------------

    def _insert_rows(self, rows: Sequence[Event]) -> None:
        if rows:
            self._insert("events", EVENT_COLUMNS, events_table(rows))

    def _put_sessions(self, sessions: Sequence[Session]) -> None:
        if not sessions:
            return
        table = sessions_table(sessions)
        self._connection.register("incoming", table)
        self._connection.execute(
            "DELETE FROM sessions USING incoming"
            " WHERE sessions.id = incoming.id::UUID AND sessions.project = incoming.project"
            " AND sessions.last_seen_at >= (SELECT min(started_at) FROM incoming)",
        )
        self._insert("sessions", SESSION_COLUMNS, table)

    def _insert(self, table: str, columns: Sequence[str], rows: Any) -> None:
        self._connection.register("incoming", rows)
        names = ", ".join(columns)
        self._connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming")
        self._connection.unregister("incoming")

    def _add_counts(self, counts: Counter[tuple[str, str]]) -> None:
        for (project, outcome), events in counts.items():
            self._connection.execute(
                "INSERT INTO ledger VALUES (?, ?, ?)"
                " ON CONFLICT (project, outcome) DO UPDATE SET events = ledger.events + excluded.events",
                [project, outcome, events],
            )

    def _roll_back(self) -> None:
        try:
            self._connection.rollback()
        except duckdb.Error:  # the transaction ended with the failure itself
            return


def _plain(columns: Sequence[str]) -> str:
    """Return columns as records hold them: times as epoch ms, UUIDs as text."""
    as_text = {name: f"{name}::VARCHAR" for name in ("id", "session_id")}
    as_ms = {name: f"epoch_ms({name}::TIMESTAMP)" for name in TIME_COLUMNS}
    return ", ".join((as_text | as_ms).get(name, name) for name in columns)


def _event(values: Sequence[Any]) -> Event:
    facts = dict(zip(EVENT_COLUMNS, values, strict=True))
    for name in ("properties", "context"):
        facts[name] = {} if facts[name] == "{}" else msgspec.json.decode(facts[name])
    return Event(**facts)


def position_of(cursor: duckdb.DuckDBPyConnection) -> str:
    """Return the last stream entry whose events are all stored, as the cursor's transaction sees it."""
    found = cursor.execute("SELECT entry_id FROM positions WHERE stream = 'events'").fetchall()
    return found[0][0] if found else "0-0"


def _migrate(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL)")
    done = {number for (number,) in connection.execute("SELECT number FROM migrations").fetchall()}
    for name, sql in _migrations():
        number = int(name.split("_", 1)[0])
        if number not in done:
            connection.begin()
            connection.execute(sql)
            connection.execute("INSERT INTO migrations VALUES (?, ?)", [number, name])
            connection.commit()


def _migrations() -> list[tuple[str, str]]:
    folder = resources.files("glimpse.store") / "migrations" / "duckdb"
    return sorted((item.name, item.read_text()) for item in folder.iterdir() if item.name.endswith(".sql"))


def _corrupt(path: Path, problem: Exception) -> str:
    return f"{path} can't be opened as a store; it was left as it is. Move it away or restore a copy. ({problem})"
