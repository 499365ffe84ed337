"""Questions about what is stored, each one named function that returns an Ibis expression.

`Queries` is what the dashboard, the API and notebooks ask; `LocalQueries` answers in the process that owns the store.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import ibis
import ibis.expr.types as ir

from glimpse.events import PAGE_VIEW, SIGNS_OF_LIFE
from glimpse.store.duckdb import DuckStore, position_of
from glimpse.store.rows import as_record

T = TypeVar("T")
_LEDGER_TRIES = 5


class Accounts(Protocol):
    """What the ledger asks of the buffer."""

    async def counts(self, project: str) -> dict[str, dict[str, int]]:
        """Return the edge's counters: outcome -> reason -> events."""
        ...

    async def waiting(self, project: str, after: str) -> int:
        """Return how many events stand in the stream past an entry."""
        ...


class Queries(Protocol):
    """What can be asked. `project` '*' means all; times are epoch ms, `[since, until)`; rows are snake_case."""

    async def events(
        self, project: str, since: int, until: int, limit: int = 1000, after: str | None = None
    ) -> list[dict[str, Any]]:
        """Return events without signs of life, newest first; `after` is the id of the last row of the page before."""
        ...

    async def sessions(self, project: str, since: int, until: int, limit: int = 1000) -> list[dict[str, Any]]:
        """Return sessions that started in the span, newest first."""
        ...

    async def totals(self, project: str, since: int, until: int) -> dict[str, int]:
        """Return counts over a span: events, page_views, sessions, bounces."""
        ...

    async def projects(self) -> list[str]:
        """Return every project that has events, the most recently active first."""
        ...

    async def ledger(self, project: str) -> dict[str, Any]:
        """Return the account of every event received; `difference` is 0 when the books balance."""
        ...


def stored_events(events: ir.Table, project: str, since: int, until: int) -> ir.Table:
    """Return a span's events without signs of life. Source columns: `glimpse.events.Event`; order is not defined."""
    return _in_project(events, project).filter(
        lambda t: (t.time >= _moment(since)) & (t.time < _moment(until)) & t.name.notin(sorted(SIGNS_OF_LIFE)),
    )


def newest_events(events: ir.Table, project: str, since: int, until: int, limit: int, after: str | None) -> ir.Table:
    """Return a page of `stored_events`, newest first, ties by id; `after` is `<epoch ms>:<id>` of the row before it."""
    page = stored_events(events, project, since, until)
    if after:
        moment, _, event_id = after.partition(":")
        at = _moment(int(moment))
        page = page.filter(lambda t: (t.time < at) | ((t.time == at) & (t.id.cast("string") < event_id)))
    return page.order_by([ibis.desc("time"), ibis.desc(page.id.cast("string"))]).limit(limit)


def started_sessions(sessions: ir.Table, project: str, since: int, until: int, limit: int) -> ir.Table:
    """Return sessions that started in a span, newest first."""
    span = _in_project(sessions, project).filter(
        lambda t: (t.started_at >= _moment(since)) & (t.started_at < _moment(until)),
    )
    return span.order_by(ibis.desc("started_at")).limit(limit)


def span_totals(events: ir.Table, project: str, since: int, until: int) -> ir.Table:
    """Return one row: events, page_views and sessions (those with an event in the span)."""
    span = stored_events(events, project, since, until)
    return span.aggregate(
        events=span.count(),
        page_views=(span.name == PAGE_VIEW).sum().fill_null(0),
        sessions=span.session_id.nunique(),
    )


def bounces(sessions: ir.Table, project: str, since: int, until: int) -> ir.Table:
    """Return one row: how many sessions that started in the span bounced."""
    span = _in_project(sessions, project).filter(
        lambda t: (t.started_at >= _moment(since)) & (t.started_at < _moment(until)),
    )
    return span.aggregate(bounces=span.is_bounce.sum().fill_null(0))


def recent_projects(events: ir.Table) -> ir.Table:
    """Return each project once with the time of its last event, the latest first."""
    return events.group_by("project").aggregate(last=events.received_at.max()).order_by(ibis.desc("last"))


def ledger_counts(ledger: ir.Table, project: str) -> ir.Table:
    """Return the drain's counts by outcome: stored, duplicate, dead_lettered."""
    return _in_project(ledger, project).group_by("outcome").aggregate(events=lambda t: t.events.sum())


def _in_project(table: ir.Table, project: str) -> ir.Table:
    return table if project == "*" else table.filter(table.project == project)


def _moment(epoch_ms: int) -> ir.TimestampScalar:
    return ibis.literal(datetime.fromtimestamp(epoch_ms / 1000, UTC).replace(tzinfo=None))


class LocalQueries:
    """Answers on one thread of its own, off the event loop, with a cursor of its own."""

    def __init__(self, store: DuckStore, buffer: Accounts) -> None:
        self._store = store
        self._buffer = buffer
        self._cursor = store.reader()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="glimpse-query")

    def close(self) -> None:
        """Let the question under way end, and take no more."""
        self._thread.shutdown(cancel_futures=True)

    def table(self, name: str) -> ir.Table:
        """Return `events`, `sessions` or `ledger` as an Ibis table."""
        return self._store.tables[name]

    async def events(
        self, project: str, since: int, until: int, limit: int = 1000, after: str | None = None
    ) -> list[dict[str, Any]]:
        """Return one page of events, newest first."""
        return await self._records(lambda: newest_events(self.table("events"), project, since, until, limit, after))

    async def sessions(self, project: str, since: int, until: int, limit: int = 1000) -> list[dict[str, Any]]:
        """Return sessions that started in the span."""
        return await self._records(lambda: started_sessions(self.table("sessions"), project, since, until, limit))

    async def totals(self, project: str, since: int, until: int) -> dict[str, int]:
        """Return counts over a span."""
        (counted,) = await self._records(lambda: span_totals(self.table("events"), project, since, until))
        (bounced,) = await self._records(lambda: bounces(self.table("sessions"), project, since, until))
        return {name: int(value) for name, value in (counted | bounced).items()}

    async def projects(self) -> list[str]:
        """Return every project with events."""
        return [row["project"] for row in await self._records(lambda: recent_projects(self.table("events")))]

    async def ledger(self, project: str) -> dict[str, Any]:
        """Return the account of every event received."""
        tries = 0
        while True:
            position, outcomes = await self._run(lambda: self._drained(project))
            waiting = await self._buffer.waiting(project, position)
            edge = await self._buffer.counts(project)
            tries += 1
            # A commit in between takes events from the buffer to the store: look again.
            if tries == _LEDGER_TRIES or position == await self._run(lambda: position_of(self._cursor)):
                return _balance(edge, outcomes, waiting)

    def _drained(self, project: str) -> tuple[str, dict[str, int]]:
        self._cursor.begin()  # so that counts and position are of one moment
        try:
            position = position_of(self._cursor)
            rows = self._ask(ledger_counts(self.table("ledger"), project))
            return position, {row["outcome"]: row["events"] for row in rows}
        finally:
            self._cursor.rollback()

    async def _records(self, ask: Callable[[], ir.Table]) -> list[dict[str, Any]]:
        return await self._run(lambda: [as_record(row) for row in self._ask(ask())])

    def _ask(self, question: ir.Table) -> list[dict[str, Any]]:
        return self._cursor.sql(ibis.to_sql(question, dialect="duckdb")).to_arrow_table().to_pylist()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _balance(edge: dict[str, dict[str, int]], drained: dict[str, int], waiting: int) -> dict[str, Any]:
    accepted = sum(edge["accepted"].values())
    rejected, dropped = edge["rejected"], edge["dropped"]
    settled = {outcome: int(drained.get(outcome, 0)) for outcome in ("stored", "duplicate", "dead_lettered")}
    return {
        "received": accepted + sum(rejected.values()) + sum(dropped.values()),
        "accepted": accepted,
        **settled,
        "in_buffer": waiting,
        "rejected": rejected,
        "dropped": dropped,
        "difference": accepted - sum(settled.values()) - waiting,
    }
