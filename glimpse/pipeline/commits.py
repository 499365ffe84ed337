"""What was drained and is not stored yet, and how it gets there.

Rule of this module: an entry is acknowledged only after the transaction that holds its rows, its counts and its
position; and those come one after the other, in the order of the stream. A commit is a thread's work, and the drain
goes on meanwhile. Any call may be cancelled: the next one goes on where it was, also with a commit under way.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

import msgspec

from glimpse.buffer import EventBuffer, Letter
from glimpse.errors import BufferUnavailable, LeaseLost, StoreLost, StoreUnavailable
from glimpse.events import AdmittedEvent, Event, Session
from glimpse.settings import Settings
from glimpse.store import UNSTORABLE, Lot, Store

log = logging.getLogger("glimpse.pipeline")

# A commit costs several milliseconds, however little is in it: under load they take a quarter of the time at most,
# unless so much waits that it would fill the memory.
REST_PER_COMMIT = 3
# Where requests come to this process, a commit makes pauses, so that they needn't wait for Python's lock: it takes
# twice as long, and has rested in it.
PAUSE_S = 0.001
REST_PER_GENTLE_COMMIT = 1
MOST_ROWS = 20_000
T = TypeVar("T")
_copied: Callable[[Session], Session] = cast("Any", Session).__copy__  # what copy.copy calls, in half the time
Place = tuple[int, str]  # an entry's shard and id
Touched = Mapping[tuple[str, str], Session]  # by project and id


class Part(msgspec.Struct):
    """What is committed together: a lot, and the stream entries it came from."""

    lot: Lot = msgspec.field(default_factory=Lot)
    entries: list[Place] = []
    admitted: list[AdmittedEvent] = []  # should one of the lot's rows have to be set aside
    sessions: dict[tuple[str, str], Session] = {}  # by project and id
    since: float = 0.0  # monotonic seconds, of the first entry

    def add(self, entries: Sequence[Place], later: Lot, touched: Touched, admitted: Sequence[AdmittedEvent]) -> None:
        """Take up what became of some entries; sessions that are part of another by now are left out."""
        if not self.entries:
            self.since = time.monotonic()
        self.entries += entries
        self.admitted += admitted
        self.sessions.update(touched)
        for merge in later.merges:
            self.sessions.pop((merge.project, merge.gone), None)
        self.lot.rows += later.rows
        self.lot.merges += later.merges
        self.lot.counts.update(later.counts)
        self.lot.positions.update(later.positions)

    def freeze(self) -> None:
        """Take sessions into the lot as they are now: they go on, and what is stored must fit these rows."""
        self.lot.sessions = list(map(_copied, self.sessions.values()))


class Commits:
    """The part that is being filled, the one that is being committed, and the acknowledgement of what is committed.

    `fence` raises `LeaseLost` when another process drains by now what waits here: then nothing of it is committed.
    """

    def __init__(
        self, buffer: EventBuffer, store: Store, settings: Settings, fence: Callable[[], Awaitable[None]] | None
    ) -> None:
        self._buffer = buffer
        self._fence = fence
        self._store = store
        self._settings = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="glimpse-store")
        self._filling = Part()
        self._under_way: Part | None = None
        self._committing: asyncio.Future[None] | None = None  # until its end is known, the part stays
        self._committed: defaultdict[int, list[str]] = defaultdict(list)  # to be acknowledged, by shard
        self.problem: str | None = None  # why the store does not commit
        self.is_lost = False  # the store has to be opened again
        self._rests_until = 0.0  # monotonic seconds
        self.count = 0
        self.seconds = 0.0

    @property
    def lot(self) -> Lot:
        """What waits for its commit to begin."""
        return self._filling.lot

    @property
    def is_due(self) -> bool:
        """Whether what waits is large or old enough to be committed."""
        rows, now = len(self.lot.rows), time.monotonic()
        if not self._filling.entries:
            return False
        is_full = rows >= MOST_ROWS or (rows >= self._settings.flush_rows and now >= self._rests_until)
        return is_full or now - self._filling.since >= self._settings.flush_interval_s

    @property
    def has_room_meanwhile(self) -> bool:
        """Whether a commit is under way, and what is drained meanwhile can wait for the next."""
        return self._committing is not None and len(self.lot.rows) < MOST_ROWS

    @property
    def is_held_up(self) -> bool:
        """Whether a commit failed, so that it comes before anything else."""
        return self.problem is not None or (self._under_way is not None and self._committing is None)

    def add(self, entries: Sequence[Place], lot: Lot, touched: Touched, admitted: Sequence[AdmittedEvent]) -> None:
        """Let what became of some entries wait for its commit, and the sessions that changed."""
        self._filling.add(entries, lot, touched, admitted)

    async def begin(self) -> None:
        """Begin to commit what waits, unless a commit is under way: the drain may go on meanwhile.

        Raises
        ------
        LeaseLost
            When another process drains by now what waits here.
        """
        if self._fence and self._committing is None:
            await self._fence()
        if self._under_way is None and self._filling.entries:
            self._under_way, self._filling = self._filling, Part()
            self._under_way.freeze()
            self._under_way.lot.pause_s = PAUSE_S if self._buffer.is_written_to else 0.0
        if self._under_way is not None and self._committing is None:
            work = (self._commit_timed, self._under_way.lot)
            self._committing = asyncio.get_running_loop().run_in_executor(self._thread, *work)

    async def settle(self, on_refused: Callable[[Event], None], *, is_patient: bool = True) -> bool:
        """See how the commit ended that is under way, and acknowledge; return whether none is under way any more.

        Parameters
        ----------
        on_refused
            Told of each row that the store can't take; it is set aside, and the others are tried again next time.
        is_patient
            Wait for its end; else only look whether it has come.
        """
        if self._committing is not None and (is_patient or self._committing.done()):
            await asyncio.wait([self._committing])  # if this is cancelled, the commit is not
            ended, self._committing = self._committing, None
            await self._take_note(ended, on_refused)
        await self.acknowledge()
        return self._under_way is None

    async def commit(self, on_refused: Callable[[Event], None]) -> bool:
        """Commit and acknowledge all that waits; return whether nothing waits any more."""
        while self._under_way or self._filling.entries:
            await self.begin()
            if not await self.settle(on_refused):
                return False
        await self.acknowledge()
        return True

    async def acknowledge(self) -> None:
        """Acknowledge what is committed; what Redis does not confirm is tried again next time.

        Raises
        ------
        BufferUnavailable
            When it confirms nothing; one node of a cluster that is away does not hold up the others' shards.
        """
        waiting, problems = dict(self._committed), list[BufferUnavailable]()
        for shard, entry_ids in waiting.items():
            try:
                await self._buffer.acknowledge(entry_ids, shard)
                del self._committed[shard]
            except LeaseLost:
                raise
            except BufferUnavailable as problem:
                problems.append(problem)
        if problems and len(problems) == len(waiting):
            raise problems[0]

    async def call(self, work: Callable[..., T], *arguments: object) -> T:
        """Do something with the store, in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have the store's thread do something, to be looked at later."""
        return self._thread.submit(work)

    def close(self) -> None:
        """Let the thread end after what it is at."""
        self._thread.shutdown(wait=False)

    async def _take_note(self, ended: asyncio.Future[None], on_refused: Callable[[Event], None]) -> None:
        part = self._under_way or Part()
        try:
            try:
                ended.result()
            except UNSTORABLE as problem:
                await self._leave_out_bad_rows(part, problem, on_refused)
                return
        except StoreUnavailable as problem:  # at the commit, or while its rows were looked at
            self.is_lost = isinstance(problem, StoreLost)
            self._note_problem(str(problem))
            return
        self.problem = None
        for shard, entry_id in part.entries:
            self._committed[shard].append(entry_id)
        self._under_way = None

    def _commit_timed(self, lot: Lot) -> None:
        began = time.perf_counter()
        self._store.commit(lot)
        took_s = time.perf_counter() - began
        rest = REST_PER_GENTLE_COMMIT if lot.pause_s else REST_PER_COMMIT
        self._rests_until = time.monotonic() + max(took_s * rest, self._store.rest_s)
        self.seconds += took_s
        self.count += 1

    async def _leave_out_bad_rows(self, part: Part, problem: Exception, on_refused: Callable[[Event], None]) -> None:
        """Find the rows that the store can't take, set them aside with the reason, and keep the rest of the lot."""
        lot = part.lot
        bad = await self.call(self._store.refused, lot.rows)
        if not bad:
            self._note_problem(f"the store can't commit: {problem}")
            return
        admitted = {(event.project, event.id): event for event in part.admitted}
        letters = [Letter.of_event(admitted[row.project, row.id], reason) for row, reason in bad]
        await self._buffer.dead_letter(letters)  # the same letters again, should this be cancelled: they have keys
        refused = {(row.project, row.id) for row, _ in bad}
        lot.rows = [row for row in lot.rows if (row.project, row.id) not in refused]
        for row, reason in bad:
            log.error("an event was set aside: %s", reason)
            lot.counts[row.project, "stored"] -= 1
            lot.counts[row.project, "dead_lettered"] += 1
            on_refused(row)

    def _note_problem(self, problem: str) -> None:
        if problem != self.problem:
            log.error("%s; events wait in the buffer", problem)
        self.problem = problem
