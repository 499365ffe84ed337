"""All of the buffer behind one name, so that who uses it need not know its parts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil

from redis.asyncio import Redis

from glimpse.buffer.appender import Appender
from glimpse.buffer.appenders import Appenders
from glimpse.buffer.channel import open_channel
from glimpse.buffer.connection import UNAVAILABLE, connect, told_by_nodes
from glimpse.buffer.letters import DeadLetters, Letter
from glimpse.buffer.records import Entry, Receipt
from glimpse.buffer.salts import Salts
from glimpse.buffer.shards import Shards
from glimpse.buffer.shared import LiveLot, LiveRows, SessionMirror
from glimpse.buffer.stream import Books
from glimpse.errors import BufferUnavailable
from glimpse.events import Event, Merge, Session
from glimpse.settings import Settings

CLOSE_WITHIN_S = 1.0


class EventBuffer:
    """Append, read, acknowledge, dead-letter; also the salts and the live rows that processes share."""

    def __init__(self, redis: Redis, appender: Appender | Appenders, mirror: SessionMirror, shards: int = 1) -> None:
        self.redis = redis
        self._appender = appender
        self._mirror = mirror
        self._salts = Salts(redis)
        self.shards = Shards(redis, shards)
        self.letters = DeadLetters(redis, shards)
        self._live = LiveRows(redis)

    @classmethod
    def at(cls, url: str, settings: Settings) -> EventBuffer:
        """Return the buffer at `redis://…` or `unix:///path`, which connects when it is used."""
        redis = connect(url)
        shards = settings.shard_count
        high_mark = ceil(settings.buffer_high_mark / shards)
        appenders = [Appender(open_channel(url, redis), high_mark, shard) for shard in range(shards)]
        appender = appenders[0] if shards == 1 else Appenders(appenders)
        return cls(redis, appender, SessionMirror(redis, open_channel(url, redis)), shards)

    @classmethod
    async def open(cls, url: str, settings: Settings) -> EventBuffer:
        """Return the buffer there, ready for use.

        Raises
        ------
        BufferUnavailable
            When the server can't be reached, or may evict keys (an evicted stream loses events silently).
        """
        buffer = cls.at(url, settings)
        try:
            await buffer.prepare()
        except BufferUnavailable as problem:
            await buffer.close()
            if problem.__cause__ is None:  # it is there, but none that will do
                raise
            raise BufferUnavailable(f"no Redis at {url.rpartition('@')[2]}: {problem}") from problem
        return buffer

    async def prepare(self) -> None:
        """See that the server is one that keeps events, and make the consumer group.

        Raises
        ------
        BufferUnavailable
            When it can't be reached, or may evict keys.
        """
        try:
            await _refuse_eviction(self.redis)
            await self.shards.prepare()
        except UNAVAILABLE as problem:
            raise BufferUnavailable(str(problem)) from problem

    async def probe(self) -> None:
        """Try to write, so that `problem` tells how things are though no event comes.

        Raises
        ------
        BufferUnavailable
            When Redis takes nothing.
        """
        await self.append(Receipt([]))

    async def close(self) -> None:
        """Close the connections; what waits for an answer gets one first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._appender.settle()
        self._appender.close()
        self._mirror.close()
        with contextlib.suppress(*UNAVAILABLE):
            await self.redis.aclose()

    @property
    def problem(self) -> str | None:
        """Why events could not be written or read the last time, or None."""
        return self._appender.problem or self.shards.problem

    @property
    def group_was_made_again(self) -> int:
        """How often a consumer group had vanished."""
        return self.shards.groups_made_again

    @property
    def is_written_to(self) -> bool:
        """Whether requests to this process have brought events within the last second."""
        return self._appender.is_written_to

    # -- the edge's side -------------------------------------------------------------------------------------------

    def append_soon(self, receipt: Receipt, done: Callable[[str | None], None]) -> None:
        """Write a request's events and counts in one MULTI, with the others of this turn of the loop.

        Parameters
        ----------
        receipt
            What the request brought.
        done
            Called once within 200 ms, perhaps at once: with None when Redis has confirmed, else with what is wrong.
        """
        self._appender.append_soon(receipt, done)

    async def append(self, receipt: Receipt) -> None:
        """Do the same and return when Redis has confirmed it; whoever gives up waiting takes back what was not sent.

        Raises
        ------
        BufferUnavailable
            Within 250 ms, when Redis does not confirm or the backlog is past its high mark.
        """
        decided: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

        def done(problem: str | None) -> None:
            if not decided.done():
                decided.set_result(problem)

        self._appender.append_soon(receipt, done)
        try:
            problem = await decided
        except asyncio.CancelledError:
            self._appender.take_back(done)
            raise
        if problem:
            raise BufferUnavailable(problem)

    async def confirm(self) -> None:
        """Return when the write that is under way is decided, and its requests are told; at once when none is."""
        await self._appender.confirm()

    def salts_now(self, now_ms: int) -> tuple[bytes, bytes | None] | None:
        """Return what `salts` does, or None when it is not in memory yet."""
        return self._salts.now(now_ms)

    async def salts(self, now_ms: int) -> tuple[bytes, bytes | None]:
        """Return today's salt (UTC) and, for the first 300 s of a day, yesterday's.

        Raises
        ------
        BufferUnavailable
            When Redis, the only place that holds them, does not answer.
        """
        return self._salts.now(now_ms) or await self._salts.of(now_ms)

    # -- the drain's side ------------------------------------------------------------------------------------------

    async def read(self, count: int = 500, shard: int = 0) -> list[Entry]:
        """Return a shard's new entries, oldest first; at most `count`."""
        return await self.shards[shard].read(">", count)

    async def read_unacknowledged(self, after: str = "0", count: int = 500, shard: int = 0) -> list[Entry]:
        """Return entries that were delivered before but not acknowledged, past the id `after`."""
        return await self.shards[shard].read(after, count)

    async def claim(self, shard: int) -> None:
        """Take over what the group has given to consumers of other names."""
        await self.shards[shard].claim()

    async def acknowledge(self, entry_ids: Sequence[str], shard: int = 0) -> None:
        """Mark entries as done and trim the stream below the last of them."""
        await self.shards[shard].acknowledge(entry_ids)

    async def deliveries(self, after: str, shard: int = 0) -> int:
        """Return how often the first entry past an id that is not acknowledged was given out; 0 when there is none."""
        return await self.shards[shard].deliveries(after)

    async def dead_letter(self, letters: Iterable[Letter]) -> None:
        """Set events aside; the same letter again changes nothing."""
        await self.letters.add(letters)

    async def counts(self, project: str) -> dict[str, dict[str, int]]:
        """Return the edge's counters of a project ('*': all): outcome -> reason -> events."""
        return await self.shards.counts(project)

    async def waiting(self, project: str, after: Mapping[int, str]) -> int:
        """Return how many of a project's events ('*': all) wait, in each shard past the id that is given for it."""
        return await self.shards.waiting(project, after)

    async def books(self, after: Mapping[int, str]) -> Books:
        """Return what the edge counted and what waits past the ids: (project, outcome, reason) -> events."""
        return await self.shards.books(after)

    async def lag_ms(self, now_ms: int) -> int:
        """Return the age of the oldest entry that is not acknowledged; 0 when there is none."""
        return await self.shards.lag_ms(now_ms)

    # -- what processes share --------------------------------------------------------------------------------------

    async def mirror(
        self, sessions: Iterable[Session], timeout_s: int, now_ms: int, gone: Iterable[Merge] = ()
    ) -> None:
        """Write live sessions as `session:{project}:<id>` and `active_sessions:{project}`, scored by last seen."""
        await self._mirror.write(sessions, timeout_s, now_ms, gone)

    async def visitors_of(self, sessions: Sequence[Session]) -> list[str | None]:
        """Return the mirrored visitor hash of each session, None where it has expired."""
        return await self._mirror.visitors_of(sessions)

    async def announce_follower(self) -> None:
        """Say that a process without the drain wants live rows; repeat within 15 s."""
        await self._live.announce_follower()

    async def publish(
        self, rows: Sequence[Event], merges: Sequence[Merge] = (), sessions: Sequence[Session] = ()
    ) -> None:
        """Give rows to the processes that follow, if there are any, their sessions, and which of these became one."""
        await self._live.publish(rows, merges, sessions)

    async def read_live(self, after: str, count: int = 100, *, is_others: bool = False) -> tuple[list[LiveLot], str]:
        """Return what was published past the id `after` ('0' at first), by others if so wished; and where to go on."""
        return await self._live.read(after, count, is_others=is_others)


async def _refuse_eviction(redis: Redis) -> None:
    for memory in await told_by_nodes(redis, "memory"):
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction" and memory.get("maxmemory", 0):
            raise BufferUnavailable(
                f"this Redis evicts keys (maxmemory-policy {policy}) and so loses events; set it to noeviction",
            )
