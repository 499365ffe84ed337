"""The drain: read -> dedupe -> enrich -> sessions -> window and store -> acknowledge.

Rule of this module: reading further than the last commit is fine, acknowledging is not (`commits.py` does that). Any
call may be cancelled: the next one goes on where it was. No event stops the others: one that a step can't take is set
aside with the reason.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from glimpse.buffer import Entry, EventBuffer, Letter, entry_order
from glimpse.clock import steady_now_ms
from glimpse.enrich import Enricher, Pair
from glimpse.errors import BufferUnavailable, LeaseLost
from glimpse.events import AdmittedEvent, Event, Merge, PackedEvent, Session, by_pair, relabel
from glimpse.pipeline.commits import Commits
from glimpse.pipeline.duplicates import REMEMBERED_IDS, Duplicates
from glimpse.pipeline.recollection import Recollection
from glimpse.pipeline.sharing import Sharing
from glimpse.pipeline.steps import StepTimes
from glimpse.sessions import LATENESS_MS, SessionTracker
from glimpse.settings import Settings
from glimpse.store import Lot, Store, make_ready

log = logging.getLogger("glimpse.pipeline")

READ_ENTRIES = 1000
# What the drain makes is in no cycle, and lives either for a batch or for minutes: Python's garbage collector, which by
# default looks after each 700 objects, would find nothing and take a tenth of the drain's time.
YOUNG_OBJECTS = 20_000
EVENTS_AT_ONCE = 1000
# What a loop that also answers requests can be kept busy with: some 10 ms, and twice that while rows become columns on
# the writer's thread.
EVENTS_BESIDE_REQUESTS = 400
# In one turn, of what they held: after one with a few small ones, a turn would be of as many large ones.
ENTRIES_MAY_SHRINK_TO = 0.9
DELIVERIES_ALLOWED = 5
DELIVERIES_UNSUSPECTED = 2
DAY_MS = 86_400_000


class Window(Protocol):
    """What the drain needs of the live window."""

    def append(self, events: Sequence[Event]) -> None:
        """Take rows that have just been sessionized."""
        ...

    def learn(self, sessions: Mapping[tuple[str, str], Session]) -> None:
        """Take up what is known of the sessions of rows that come next, by project and id."""
        ...

    def merge(self, merges: Sequence[Merge]) -> None:
        """Make one of each two sessions that turned out to be one."""
        ...

    def restore(self, events: Sequence[Event]) -> None:
        """Take rows that were stored before this process started."""
        ...


class Found(NamedTuple):
    """What one read gave."""

    entries: dict[int, list[Entry]]  # of each shard that answered
    left: set[int]  # shards that gave what had been read before, and may have more of that
    has_more: bool

    @property
    def all(self) -> list[Entry]:
        """What all of the shards gave."""
        return [entry for some in self.entries.values() for entry in some]


class Pipeline:
    """One owner's drain of some shards. `recover` once, then `drain_once` often; `close` before it ends.

    Parameters
    ----------
    shards
        Which it drains, from the beginning to the end.
    fence
        Raises `LeaseLost` when another process drains one of them by now.
    """

    def __init__(
        self,
        *,
        buffer: EventBuffer,
        store: Store,
        sessions: SessionTracker,
        enricher: Enricher,
        window: Window,
        settings: Settings,
        now_ms: Callable[[], int] = steady_now_ms,
        shards: Sequence[int] = (0,),
        fence: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.shards = tuple(shards)
        self._buffer = buffer
        self._store = store
        self._sessions = sessions
        self._enricher = enricher
        self._window = window
        self._settings = settings
        self._now_ms = now_ms
        self.commits = Commits(buffer, store, settings, fence)
        self._duplicates = Duplicates(lambda pairs, since: self.commits.call(store.known_ids, pairs, since))
        self._recollection: Recollection | None = None  # from the start on
        self._sharing = Sharing(buffer, settings, now_ms)
        self.times = StepTimes()
        self._enriched_before = dict(enricher.seconds)  # by the drains before this one
        self._events_an_entry = 1.0  # of the last batches
        self._taken_to: dict[int, str] = {}  # of each shard, the last entry that was put in a lot
        self._interrupted: set[int] = set()  # shards of which something may have been read and not put in a lot
        self._ahead: Found | None = None  # what was read while the batch before it was taken
        self._busy = asyncio.Lock()
        self.is_over = False  # it has handed over: others drain these shards from now on
        self.has_more = False  # the last turn could not take all that waited
        self.drained = 0
        self.last_drain_at = 0

    @property
    def enrich_seconds(self) -> dict[str, float]:
        """Return what each step of enriching took of what this drained: seconds by step."""
        return {step: seconds - self._enriched_before[step] for step, seconds in self._enricher.seconds.items()}

    @property
    def problem(self) -> str | None:
        """Why the store does not commit."""
        return self.commits.problem

    @property
    def is_lost(self) -> bool:
        """Whether the store has to be opened again, and the drain begun anew on it."""
        return self.commits.is_lost

    async def recover(self) -> None:
        """Take up where the store's last commit is: ids, open sessions, the window, and entries not acknowledged."""
        gc.set_threshold(max(gc.get_threshold()[0], YOUNG_OBJECTS), *gc.get_threshold()[1:])
        await self.commits.call(make_ready)
        self._taken_to = await self.commits.call(self._store.positions)  # first: a store may end a lot half written
        sessions, heard_to = await self.commits.call(self._restore, self._now_ms())
        drained_to = [entry_order(self._taken_to.get(shard, "0"))[0] for shard in self.shards]
        await self._restore_sessions(sessions, min([heard_to, *drained_to]))
        for shard in self.shards:
            await self._recover_shard(shard, self._taken_to.get(shard, "0"))
        await self.flush()
        self._recollection = Recollection(self._duplicates, self._store, self.commits.submit, self._now_ms())

    async def _recover_shard(self, shard: int, position: str) -> None:
        await self._buffer.claim(shard)
        after = "0"
        while True:
            # Who was given out twice may have ended who took it: those go one by one, each counted for itself.
            deliveries = await self._buffer.deliveries(after, shard)
            is_suspect = deliveries >= DELIVERIES_UNSUSPECTED
            entries = await self._buffer.read_unacknowledged(after, 1 if is_suspect else READ_ENTRIES, shard)
            if not entries:
                break
            after = entries[-1].id
            done = [entry for entry in entries if entry_order(entry.id) <= entry_order(position)]
            await self._buffer.acknowledge([entry.id for entry in done], shard)
            if left := entries[len(done) :]:
                await (self._take_suspect(left[0], deliveries + 1) if is_suspect else self._take(left))

    def expect_stored(self, rows: Sequence[Event]) -> None:
        """Let rows be stored that no drain has brought: of one that comes again the store is asked."""
        self._duplicates.expect_stored(rows, self._now_ms())

    async def drain_once(self) -> int:
        """Read what has arrived and put it into window and lot; commit when due. Return the number of events."""
        async with self._busy:
            self.times.begin()
            self.has_more = False
            if self.is_over:
                return 0
            if self._recollection:
                self._recollection.go_on()
            if self.commits.is_held_up and not await self._commit():
                return 0  # the store is away: what waits stays in the buffer
            await self._settle(is_patient=False)
            self.times.done("commit wait")
            found, self._ahead = self._ahead or await self._read(self._entries_at_once), None
            self.has_more = found.has_more or bool(found.left)
            self.times.done("read")
            async with self._reading_ahead(found):
                await self._buffer.confirm()  # else requests that Redis is about to confirm wait for this batch
                if found.all:
                    events = await self._take(found.all, has_more=found.has_more)
                else:
                    events = 0
                    await self._sharing.settle()
                await self._commit_if_due(has_more=found.has_more)
                self.times.done("commit wait")
            self.times.done("read")
            self.last_drain_at = self._now_ms()
            return events

    async def flush(self) -> None:
        """Commit and acknowledge everything that was read; one that fails stays in the buffer for the next start."""
        async with self._busy:
            await self._commit()

    async def hand_over(self) -> bool:
        """Store all that was read, for another to go on from there; return False, and go on, if that can't be."""
        async with self._busy:
            if self._ahead:
                ahead, self._ahead = self._ahead, None
                await self._take(ahead.all)
            await self._sharing.settle()
            self.is_over = await self._commit()
            if self.is_over:
                await self._let_go()
            return self.is_over

    async def close(self) -> None:
        """Drain what stands in the buffer, commit it, and let go of the thread if all of it is stored."""
        while await self.drain_once():
            pass
        async with self._busy:
            await self._sharing.settle()
            if await self._commit():
                await self._let_go()

    async def _let_go(self) -> None:
        await self.stop_learning()
        self.commits.close()

    async def stop_learning(self) -> None:
        """Read no more of what was stored before: the store is about to be closed, or another's."""
        if self._recollection:
            await self._recollection.close()

    async def _commit_if_due(self, *, has_more: bool) -> None:
        """Commit what is due: while the next events are taken, or where there are none, at once."""
        # A part at a time: when the store is the slower of the two, this is where the drain waits for it.
        if self.commits.is_due and await self._settle(is_patient=not (has_more and self.commits.has_room_meanwhile)):
            await self.commits.begin()
            if not has_more:
                await self._settle()

    async def _settle(self, *, is_patient: bool = True) -> bool:
        is_done = await self.commits.settle(self._forget, is_patient=is_patient)
        if is_done:
            self._sessions.forget_ended()
        return is_done

    async def _commit(self) -> bool:
        is_done = await self.commits.commit(self._forget)
        if is_done:
            self._sessions.forget_ended()
        return is_done

    def _forget(self, row: Event) -> None:
        self._duplicates.forget((row.project, row.id))

    @asynccontextmanager
    async def _reading_ahead(self, found: Found) -> AsyncIterator[None]:
        """Have Redis give what comes next while what was found is taken; if that fails, both are read again, in order.

        Only where nothing read before is missing in what was found: what comes next would overtake it.
        """
        if not found.has_more or found.left or found.entries.keys() != set(self.shards):
            yield
            self._interrupted -= found.entries.keys() - found.left
            return
        reading = asyncio.create_task(self._read(self._entries_at_once, is_ahead=True))
        try:
            await asyncio.sleep(0)  # the question is sent, to be answered while this process is busy
            yield
            ahead = await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if any(ahead.entries.values()):
            self._ahead = ahead
        else:
            self.has_more = False
            self._interrupted -= ahead.entries.keys()

    async def _read(self, count: int, *, is_ahead: bool = False) -> Found:
        """Return entries of each shard that gives any; one whose node is away does not keep the others waiting.

        Raises
        ------
        LeaseLost
            When another process drains one of them by now.
        BufferUnavailable
            When none of them answers.
        """
        left: set[int] = set()
        reads = [self._read_shard(shard, count, left, is_ahead=is_ahead) for shard in self.shards]
        if len(reads) == 1:
            found = {self.shards[0]: await reads[0]}
        else:
            read = await asyncio.gather(*reads, return_exceptions=True)
            found = {shard: some for shard, some in zip(self.shards, read, strict=True) if isinstance(some, list)}
            for problem in read:
                if isinstance(problem, BaseException) and not (found and _is_passing(problem)):
                    raise problem
        return Found(found, left, any(len(some) >= count for some in found.values()))

    async def _read_shard(self, shard: int, count: int, left: set[int], *, is_ahead: bool) -> list[Entry]:
        """Return a shard's new entries; after a failure, first those that were read and not taken."""
        if shard in self._interrupted and not is_ahead:
            some = await self._buffer.read_unacknowledged(self._taken_to.get(shard, "0"), count, shard)
            if some:
                left.add(shard)  # until nothing is left
                return some
        self._interrupted.add(shard)  # until `_take` has put in the lot what is read here, or nothing was read
        return await self._buffer.read(count, shard)

    @property
    def _entries_at_once(self) -> int:
        """How many entries of each shard hold about as many events as others on this loop can wait for."""
        events = EVENTS_BESIDE_REQUESTS if self._buffer.is_written_to else EVENTS_AT_ONCE
        return max(1, min(READ_ENTRIES, round(events / self._events_an_entry / max(1, len(self.shards)))))

    # -- one batch -------------------------------------------------------------------------------------------------

    async def _take(self, entries: Sequence[Entry], *, has_more: bool = False) -> int:
        letters = [Letter.of_entry(entry, entry.damage) for entry in entries if entry.damage]
        events = [event for entry in entries if not entry.damage for event in entry.packed]
        self._events_an_entry = max(1.0, len(events) / len(entries), self._events_an_entry * ENTRIES_MAY_SHRINK_TO)
        fresh, duplicates = await self._duplicates.without(events, self._now_ms())
        self.times.done("dedupe")
        pairs, more = self._enriched(fresh)
        self.times.done("enrich")
        rows, still_more = self._sessionize(pairs)
        self.times.done("sessions")
        letters += more + still_more
        if letters:
            await self._buffer.dead_letter(letters)  # the same again, should this be cancelled: they have keys
        touched = self._sessions.take_touched()
        part = self._part_of(entries, rows, duplicates, letters)
        admitted = fresh if len(rows) == len(fresh) else [event for event, row in pairs if row.session_id]
        self.commits.add([(entry.shard, entry.id) for entry in entries], part, touched, admitted)
        self._taken_to.update(part.positions)
        self._duplicates.add(rows)
        self.times.done("books")
        self._window.learn(touched)
        self._window.merge(part.merges)
        self._window.append(rows)
        self.times.done("window")
        self.drained += len(rows)
        await self._sharing.share(part, touched, has_more=has_more)
        self.times.done("share")
        return len(events)

    def _enriched(self, admitted: Sequence[PackedEvent]) -> tuple[list[Pair], list[Letter]]:
        """Enrich a batch; when that fails, each half of it, down to the events that fail."""
        try:
            return self._enricher.enrich(admitted), []
        except Exception as problem:  # noqa: BLE001 - whatever an event does to a step, the others go on
            if len(admitted) == 1:
                return [], [_set_aside(admitted[0], problem)]
        half = len(admitted) // 2
        (first, letters), (second, more) = self._enriched(admitted[:half]), self._enriched(admitted[half:])
        return first + second, letters + more

    def _sessionize(self, pairs: Sequence[Pair]) -> tuple[list[Event], list[Letter]]:
        letters: list[Letter] = []
        for admitted, event in pairs:
            try:
                self._sessions.assign(admitted, event)
            except Exception as problem:  # noqa: BLE001 - likewise
                event.session_id = ""
                letters.append(_set_aside(admitted, problem))
        return [event for _, event in pairs if event.session_id], letters

    def _part_of(
        self, entries: Sequence[Entry], rows: list[Event], duplicates: Counter[str], letters: Sequence[Letter]
    ) -> Lot:
        merges = self._sessions.take_merges()
        relabel(rows, merges)
        counts = Counter({(project, "stored"): n for project, n in Counter([row.project for row in rows]).items()})
        counts.update({(project, "duplicate"): count for project, count in duplicates.items()})
        for letter in letters:
            for project, count in letter.counts.items():
                counts[project, "dead_lettered"] += count
        for entry in entries:  # one that is played again stands among the dead letters until now
            for project, count in entry.replayed.items():
                counts[project, "dead_lettered"] -= count
        positions = {entry.shard: entry.id for entry in entries}  # the last of each
        return Lot(rows=rows, merges=merges, counts=counts, positions=positions)

    # -- starting --------------------------------------------------------------------------------------------------

    async def _take_suspect(self, entry: Entry, deliveries: int) -> None:
        """Take an entry by itself, or set it aside when that was tried often enough."""
        if deliveries > DELIVERIES_ALLOWED:
            entry.damage = f"it was given out {deliveries} times and never done"
        await self._take([entry])
        await self.flush()

    def _restore(self, now: int) -> tuple[list[Session], int]:
        """Fill memory and window; return the sessions of the last day, and when the last event was received."""
        span_ms = self._settings.window_minutes * 60_000
        recent = self._store.recent_events(now - span_ms, REMEMBERED_IDS)
        is_all = len(recent) < REMEMBERED_IDS
        self._duplicates.restore(recent, now - span_ms if is_all else recent[0].received_at)
        self._window.restore(recent[-self._settings.window_events :])
        sessions = self._store.recent_sessions(now - DAY_MS)
        self._window.learn(by_pair([session for session in sessions if session.last_seen_at >= now - span_ms]))
        return sessions, recent[-1].received_at if recent else now

    async def _restore_sessions(self, sessions: Sequence[Session], heard_to: int) -> None:
        horizon = heard_to - self._settings.session_timeout_s * 1000 - LATENESS_MS
        nameless = [s for s in sessions if not s.client_session and s.last_seen_at >= horizon]
        for session, visitor in zip(nameless, await self._buffer.visitors_of(nameless), strict=True):
            session.visitor = visitor
        self._sessions.restore(sessions, heard_to)


def _is_passing(problem: BaseException) -> bool:
    return isinstance(problem, BufferUnavailable) and not isinstance(problem, LeaseLost)


def _set_aside(event: AdmittedEvent, problem: Exception) -> Letter:
    log.error("event %s was set aside", event.id, exc_info=problem)
    return Letter.of_event(event, f"{type(problem).__name__}: {problem}")
