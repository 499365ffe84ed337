"""What a store is: all that the drain, the questions and the upkeep need of it, whichever engine keeps the rows.

Rule of this module: nothing here knows an engine. `duckdb.py` and `clickhouse.py` each are one, `opening.py` chooses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import ibis.expr.types as ir
import msgspec
import numpy as np

from glimpse.events import Event, ImportedTotal, Merge, Session
from glimpse.store.questions import Question, Scope
from glimpse.store.segments import Segment

IMPORTED, EXPIRED = "imported", "expired"  # outcomes of the ledger, beside those of the drain
Pair = tuple[str, str]  # a project, and an id in it, or an outcome


class Lot(msgspec.Struct):
    """What one commit holds. `counts` are by (project, outcome); `positions` the last entry of each shard it covers.

    `pause_s` is how long the writer's thread sleeps now and again while it makes columns: where a process takes
    requests, they need Python's lock more than it does.
    """

    rows: list[Event] = []
    sessions: list[Session] = []
    merges: list[Merge] = []
    totals: list[ImportedTotal] = []
    counts: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    positions: dict[int, str] = {}
    pause_s: float = 0.0


class IdsSince(NamedTuple):
    """The ids of all events received since a time, epoch ms, and before the piece before this; as 36 bytes of text."""

    since: int
    ids: np.ndarray


A_PIECE = 100_000  # ids at least, unless there are no more
A_SLICE_MS = 10_000


def pieces_of(counts: Sequence[tuple[int, int]], since_ms: int, most: int) -> list[int]:
    """Return where the pieces of a span begin, the newest first, epoch milliseconds.

    Parameters
    ----------
    counts
        Of each slice of `A_SLICE_MS` that has events, its number since 1970 and how many; the newest first.
    since_ms
        Where the last piece begins, unless there are more than `most` events: then it is where they are as many.
    """
    begins: list[int] = []
    taken = held = 0
    began = since_ms
    for number, count in counts:
        taken += count
        if taken > most:
            return [*begins, began] if held else begins
        held, began = held + count, number * A_SLICE_MS
        if held >= A_PIECE:
            begins.append(began)
            held = 0
    return [*begins, since_ms]


class Asker(Protocol):
    """One thread's way to read the store."""

    @property
    def engine(self) -> str:
        """Return which SQL it speaks, by Ibis' name."""
        ...

    def answer(self, question: Question, scope: Scope, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows that answer a question."""
        ...

    def compile_ahead(self) -> bool:
        """Prepare for what is likely to be asked next, for a tenth of a second at most; false when all is prepared."""
        ...

    def accounts(self) -> tuple[dict[int, str], dict[Pair, int]]:
        """Return how far each shard is stored, and the drain's counts by project and outcome; both of one moment."""
        ...

    def positions(self) -> dict[int, str]:
        """Return the last stream entry of each shard whose events are all stored."""
        ...

    def segments(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the saved filters of a project and those of all, by name; of one name the project's own."""
        ...

    def every_segment(self) -> list[Segment]:
        """Return the saved filters of all projects, by project and name."""
        ...

    def put_segment(self, project: str, name: str, where: dict[str, Any] | None) -> None:
        """Save a filter under a name, or forget the name."""
        ...

    def compiled(self, rows: ir.Table) -> str:
        """Return an expression as the engine's SQL."""
        ...

    def begin(self) -> None:
        """See the store as it is now until `close`, where the engine can."""
        ...

    def fetch(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query of ours.

        Raises
        ------
        StoreUnavailable
            When it was interrupted, or the store can't answer.
        """
        ...

    def table(self, sql: str, values: Sequence[Any]) -> Any:
        """Return the answer to a query of ours as an Arrow table; raises likewise."""
        ...

    def interrupt(self) -> None:
        """Have what is under way end soon."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Store(Protocol):
    """Takes lots, and gives back what a restarted drain needs. Every method blocks: call it off the loop."""

    @property
    def place(self) -> str:
        """Where the rows are, as people name it."""
        ...

    @property
    def rest_s(self) -> float:
        """Return how long the engine wants between two commits at least, however much waits."""
        ...

    @property
    def tables(self) -> Mapping[str, ir.Table]:
        """Return `events`, `sessions`, `ledger` and `imported_totals`, for expressions."""
        ...

    def commit(self, lot: Lot) -> None:
        """Write a lot, all of it or nothing; the same lot may come again.

        Raises
        ------
        StoreUnavailable
            When it can't be written now, and may be tried again.
        StoreLost
            When the store has to be opened again first.
        UNSTORABLE
            When a row can't be stored at all.
        """
        ...

    def refused(self, rows: Sequence[Event]) -> list[tuple[Event, str]]:
        """Return the rows that the store can't take, each with the reason; nothing is kept."""
        ...

    def positions(self) -> dict[int, str]:
        """Return, for each shard that was drained, the last stream entry whose events are all stored."""
        ...

    def known_ids(self, wanted: Sequence[Pair], since_ms: int) -> set[Pair]:
        """Return those of the (project, id) pairs whose events were stored since a time."""
        ...

    def recent_events(self, since_ms: int, limit: int) -> list[Event]:
        """Return the newest events received since a time, oldest first; at most `limit`."""
        ...

    def recent_ids(self, since_ms: int, until_ms: int, most: int) -> Iterator[IdsSince]:
        """Give the ids of all events received in a span, in pieces, the newest first; of more than `most`, the newest.

        None where other processes may store too: what they bring later would not be among them.
        Each step blocks for as long as it takes to read some 100,000 of them.
        """
        ...

    def recent_sessions(self, since_ms: int) -> list[Session]:
        """Return the sessions last seen since a time."""
        ...

    def events_of(self, sessions: Sequence[Pair]) -> list[Event]:
        """Return all events of some sessions, by project and id."""
        ...

    def sessions_of(self, pairs: Sequence[Pair]) -> list[Session]:
        """Return some sessions by project and id; those that are there."""
        ...

    def totals_known(self, pairs: Sequence[Pair]) -> int:
        """Return how many of some imported totals are there."""
        ...

    def projects(self) -> list[str]:
        """Return every project that has events or sessions, layers too."""
        ...

    def expire(self, project: str, before_ms: int, most: int) -> int:
        """Delete a project's events from before a time, at the end its sessions too, and count them in the ledger.

        Fewer than `most` are the last of them.

        Raises
        ------
        StoreUnavailable
            When nothing can be deleted now.
        """
        ...

    def size_bytes(self) -> int | None:
        """Return how much room the rows take; None where that is not told at once, for a loop may ask."""
        ...

    def asker(self) -> Asker:
        """Return another way to read, for one thread."""
        ...

    def close(self) -> None:
        """Let go of everything, in whatever state it is."""
        ...
