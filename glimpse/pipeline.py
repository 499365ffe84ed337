"""The drain: read -> enrich -> dedupe -> sessions -> window and store -> acknowledge.

Rule of this module: an entry is acknowledged only after the transaction that holds its rows, its counts and its
position. Reading further than the last commit is fine; acknowledging is not. Any call may be cancelled: the next one
goes on where it was, also with a commit that is still under way.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import msgspec

from glimpse.buffer import Entry, EventBuffer, entry_order
from glimpse.enrich import Enricher, Pair
from glimpse.errors import BufferUnavailable, StoreUnavailable
from glimpse.events import AdmittedEvent, Event, Session
from glimpse.sessions import LATENESS_MS, SessionTracker
from glimpse.settings import Settings
from glimpse.store import UNSTORABLE, DuckStore, Lot

log = logging.getLogger("glimpse.pipeline")

READ_ENTRIES = 500
DEDUPE_SPAN_MS = 48 * 3600 * 1000
REMEMBERED_IDS = 200_000
CLOCK_SLACK_MS = 60_000  # how far an uncorrected client clock may be ahead
DAY_MS = 86_400_000
T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


class Window(Protocol):
    """What the drain needs of the live window."""

    def append(self, events: Sequence[Event]) -> None:
        """Take rows that have just been sessionized."""
        ...

    def restore(self, events: Sequence[Event]) -> None:
        """Take rows that were stored before this process started."""
        ...


class RecentIds:
    """The (project, id) pairs seen last, and how far back they reach."""

    def __init__(self, most: int = REMEMBERED_IDS) -> None:
        self._most = most
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()
        self.complete_since = 0  # epoch ms: every id received after it is remembered

    def __contains__(self, pair: tuple[str, str]) -> bool:
        return pair in self._seen

    def add(self, pair: tuple[str, str], received_at: int) -> None:
        """Remember one more; the oldest goes."""
        self._seen[pair] = received_at
        if len(self._seen) > self._most:
            _, self.complete_since = self._seen.popitem(last=False)


class Pipeline:
    """One owner's drain. `recover` once, then `drain_once` often; `flush` before it ends."""

    def __init__(
        self,
        *,
        buffer: EventBuffer,
        store: DuckStore,
        sessions: SessionTracker,
        enricher: Enricher,
        window: Window,
        settings: Settings,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._buffer = buffer
        self._store = store
        self._sessions = sessions
        self._enricher = enricher
        self._window = window
        self._settings = settings
        self._now_ms = now_ms
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="glimpse-store")
        self._recent = RecentIds()
        self._lot = Lot()
        self._entries: list[str] = []  # in the lot
        self._committed: list[str] = []  # to be acknowledged
        self._taken_to = "0"  # the last entry that was put in a lot
        self._oldest_waits_since: float | None = None
        self._committing: asyncio.Future[None] | None = None  # the lot's commit; until its end is known, the lot stays
        self._is_interrupted = False
        self._busy = asyncio.Lock()
        self.problem: str | None = None  # why the store does not commit
        self.drained = 0
        self.commits = 0
        self.commit_seconds = 0.0
        self.last_drain_at = 0

    async def recover(self) -> None:
        """Take up where the store's last commit is: ids, open sessions, the window, and entries not acknowledged."""
        now = self._now_ms()
        await self._restore_sessions(await self._call(self._restore, now), now)
        position, after = await self._call(self._store.position), "0"
        self._taken_to = position
        while entries := await self._buffer.read_unacknowledged(after, READ_ENTRIES):
            after = entries[-1].id
            done = [entry for entry in entries if entry_order(entry.id) <= entry_order(position)]
            await self._buffer.acknowledge([entry.id for entry in done])
            if left := entries[len(done) :]:
                await self._take(left)
        await self.flush()

    async def drain_once(self) -> int:
        """Read what has arrived and put it into window and lot; commit when due. Return the number of events."""
        async with self._busy:
            if (self.problem or self._committing) and not await self._commit():
                return 0  # the store is away: what waits stays in the buffer
            await self._acknowledge()
            entries = await self._read()
            events = await self._take(entries) if entries else 0
            self._is_interrupted = False
            if self._is_due():
                await self._commit()
            self.last_drain_at = self._now_ms()
            return events

    async def flush(self) -> None:
        """Commit and acknowledge everything that was read."""
        async with self._busy:
            await self._commit()

    async def close(self) -> None:
        """Drain what stands in the buffer, commit it, and let go of the thread."""
        while await self.drain_once():
            pass
        await self.flush()
        self._thread.shutdown()

    async def _read(self) -> list[Entry]:
        """Return new entries; after a failure, first those that were read and not taken."""
        if self._is_interrupted:
            return await self._buffer.read_unacknowledged(self._taken_to, READ_ENTRIES)
        self._is_interrupted = True  # until `_take` has put in the lot what is read here, or nothing was read
        return await self._buffer.read(READ_ENTRIES)

    # -- one batch -------------------------------------------------------------------------------------------------

    async def _take(self, entries: Sequence[Entry]) -> int:
        for entry in entries:
            if entry.damage:
                await self._set_aside([("", entry.damage, entry.payload)])
        fresh, duplicates = await self._without_duplicates([event for entry in entries for event in entry.events])
        rows = self._sessionize(self._enricher.enrich(fresh))
        touched = self._sessions.take_touched()
        self._put_in_lot(entries, rows, touched, duplicates)
        self._window.append(rows)
        self.drained += len(rows)
        await self._share(rows, touched)
        return sum(len(entry.events) for entry in entries)

    async def _without_duplicates(self, events: list[AdmittedEvent]) -> tuple[list[AdmittedEvent], Counter[str]]:
        """Keep the first of each (project, id) within 48 h, and count the others by project.

        Ids of the last while are remembered. Only an event that claims to be older than that memory can have come
        before it, so only for such events is the store asked: the cost does not grow with the store.
        """
        old = [(e.project, e.id) for e in events if e.time < self._recent.complete_since + CLOCK_SLACK_MS]
        known = await self._call(self._store.known_ids, old, self._now_ms() - DEDUPE_SPAN_MS) if old else set()
        fresh: dict[tuple[str, str], AdmittedEvent] = {}
        duplicates: Counter[str] = Counter()
        for event in events:
            pair = (event.project, event.id)
            if pair in fresh or pair in self._recent or pair in known:
                duplicates[event.project] += 1
            else:
                fresh[pair] = event
        return list(fresh.values()), duplicates

    def _sessionize(self, pairs: Sequence[Pair]) -> list[Event]:
        for admitted, event in pairs:
            self._sessions.assign(admitted, event)
        return [event for _, event in pairs]

    def _put_in_lot(
        self, entries: Sequence[Entry], rows: Sequence[Event], touched: Sequence[Session], duplicates: Counter[str]
    ) -> None:
        self._lot.rows.extend(rows)
        merged = {(s.project, s.id): s for s in (*self._lot.sessions, *touched)}
        self._lot.sessions = list(merged.values())
        for row in rows:
            self._recent.add((row.project, row.id), row.received_at)
            self._lot.counts[row.project, "stored"] += 1
        for project, count in duplicates.items():
            self._lot.counts[project, "duplicate"] += count
        self._entries.extend(entry.id for entry in entries)
        self._lot.position = self._taken_to = entries[-1].id
        if self._oldest_waits_since is None:
            self._oldest_waits_since = time.monotonic()

    async def _share(self, rows: Sequence[Event], touched: Sequence[Session]) -> None:
        try:
            await self._buffer.mirror(touched, self._settings.session_timeout_s, self._now_ms())
            await self._buffer.publish(rows, self._now_ms())
        except BufferUnavailable as problem:  # a mirror for others; the events themselves are safe in the stream
            log.warning("live sessions were not mirrored: %s", problem)

    # -- committing ------------------------------------------------------------------------------------------------

    def _is_due(self) -> bool:
        if self._oldest_waits_since is None:
            return False
        waited_s = time.monotonic() - self._oldest_waits_since
        return len(self._lot.rows) >= self._settings.flush_rows or waited_s >= self._settings.flush_interval_s

    async def _commit(self) -> bool:
        """Commit the lot and acknowledge its entries; return whether nothing waits any more."""
        if self._oldest_waits_since is None:
            return True
        try:
            await self._store_lot()
        except StoreUnavailable as problem:
            self._note_problem(str(problem))
            return False
        except UNSTORABLE as problem:
            await self._leave_out_bad_rows(problem)
            return False
        self.problem = None
        self._committed += self._entries
        self._entries, self._lot, self._oldest_waits_since = [], Lot(), None
        self._sessions.forget_ended(self._now_ms())
        await self._acknowledge()
        return True

    async def _store_lot(self) -> None:
        """Commit the lot, or wait for the commit that a cancelled call began: begun again, it would store twice."""
        if self._committing is None:
            self._committing = asyncio.get_running_loop().run_in_executor(self._thread, self._commit_timed, self._lot)
        await asyncio.wait([self._committing])  # if this is cancelled, the commit is not
        ended, self._committing = self._committing, None
        ended.result()

    def _commit_timed(self, lot: Lot) -> None:
        began = time.perf_counter()
        self._store.commit(lot)
        self.commit_seconds += time.perf_counter() - began
        self.commits += 1

    async def _acknowledge(self) -> None:
        """Acknowledge what is committed; what Redis does not confirm is tried again at the next drain."""
        if self._committed:
            await self._buffer.acknowledge(self._committed)
            self._committed = []

    async def _leave_out_bad_rows(self, problem: Exception) -> None:
        """Find the rows that the store can't take, set them aside with the reason, and keep the rest of the lot."""
        bad = await self._call(self._store.refused, self._lot.rows)
        if not bad:
            self._note_problem(f"the store can't commit: {problem}")
            return
        await self._set_aside([(row.project, reason, _encode(row)) for row, reason in bad])
        refused = {(row.project, row.id) for row, _ in bad}
        self._lot.rows = [row for row in self._lot.rows if (row.project, row.id) not in refused]
        for row, _ in bad:
            self._lot.counts[row.project, "stored"] -= 1

    async def _set_aside(self, letters: Sequence[tuple[str, str, bytes]]) -> None:
        await self._buffer.dead_letter([(reason, payload) for _, reason, payload in letters])
        for project, reason, _ in letters:
            log.error("an event was set aside: %s", reason)
            self._lot.counts[project, "dead_lettered"] += 1

    def _note_problem(self, problem: str) -> None:
        if problem != self.problem:
            log.error("%s; events wait in the buffer", problem)
        self.problem = problem

    # -- starting --------------------------------------------------------------------------------------------------

    def _restore(self, now: int) -> list[Session]:
        span_ms = self._settings.window_minutes * 60_000
        recent = self._store.recent_events(now - span_ms, REMEMBERED_IDS)
        for event in recent:
            self._recent.add((event.project, event.id), event.received_at)
        self._recent.complete_since = recent[0].received_at if len(recent) == REMEMBERED_IDS else now - span_ms
        self._window.restore(recent[-self._settings.window_events :])
        return self._store.recent_sessions(now - DAY_MS)

    async def _restore_sessions(self, sessions: Sequence[Session], now: int) -> None:
        horizon = now - self._settings.session_timeout_s * 1000 - LATENESS_MS
        nameless = [s for s in sessions if not s.client_session and s.last_seen_at >= horizon]
        for session, visitor in zip(nameless, await self._buffer.visitors_of(nameless), strict=True):
            session.visitor = visitor
        self._sessions.restore(sessions)
        self._sessions.forget_ended(now)

    async def _call(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
