"""The shards of the buffer: which there are, and what stands in all of them.

Rule of this module: a shard that was ever written to stays known, so that after a change of their number nothing in it
is forgotten: drains still take it, and the books still count it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from zlib import crc32

from redis.asyncio import Redis

from glimpse.buffer.connection import UNAVAILABLE
from glimpse.buffer.stream import Books, Stream
from glimpse.errors import BufferUnavailable

KNOWN = "glimpse:shards"
T = TypeVar("T")


def shard_of(shards: int, project: str, session_key: str) -> int:
    """Return the shard of a session: whatever belongs to one comes to the same drain, in the order it was written."""
    return crc32(f"{project}\0{session_key}".encode("utf-8", "surrogatepass")) % shards if shards > 1 else 0


class Shards:
    """One stream each.

    Parameters
    ----------
    redis
        Where they are.
    count
        How many this process writes to.
    """

    def __init__(self, redis: Redis, count: int) -> None:
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client
        self.count = count
        self.token = ""  # how leases name this process, if it drains
        self._streams: dict[int, Stream] = {}

    def __getitem__(self, shard: int) -> Stream:
        if shard not in self._streams:
            self._streams[shard] = Stream(self._redis, shard, lambda: self.token)
        return self._streams[shard]

    @property
    def problem(self) -> str | None:
        """Why events could not be read the last time, or None."""
        return next((stream.problem for stream in self._streams.values() if stream.problem), None)

    @property
    def groups_made_again(self) -> int:
        """How often a consumer group had vanished."""
        return sum(stream.group_was_made_again for stream in self._streams.values())

    async def prepare(self) -> None:
        """Make the streams with their groups, and let everybody know of them."""
        await self._redis.sadd(KNOWN, *range(self.count))
        await asyncio.gather(*(self[shard].make_group() for shard in range(self.count)))

    async def known(self) -> list[int]:
        """Return every shard that there is.

        Raises
        ------
        BufferUnavailable
            When Redis does not answer.
        """
        try:
            found = await self._redis.smembers(KNOWN)
        except UNAVAILABLE as problem:
            raise BufferUnavailable(str(problem)) from problem
        return sorted({int(shard) for shard in found} | {*range(self.count)})

    async def counts(self, project: str) -> dict[str, dict[str, int]]:
        """Return the edge's counters of a project ('*': all), of all shards: outcome -> reason -> events."""
        total: dict[str, Counter[str]] = {"accepted": Counter(), "rejected": Counter(), "dropped": Counter()}
        for counts in await self._of_each(lambda shard: self[shard].counts(project)):
            for outcome, reasons in counts.items():
                total[outcome] += reasons
        return {outcome: dict(reasons) for outcome, reasons in total.items()}

    async def waiting(self, project: str, after: Mapping[int, str]) -> int:
        """Return how many of a project's events ('*': all) wait, in each shard past the id that is given for it."""
        return sum(await self._of_each(lambda shard: self[shard].waiting(project, after.get(shard, "0"))))

    async def books(self, after: Mapping[int, str]) -> Books:
        """Return every project's counters, and how many of its events wait past the id that is given for each shard."""
        return sum(await self._of_each(lambda shard: self[shard].books(after.get(shard, "0"))), Books())

    async def lag_ms(self, now_ms: int) -> int:
        """Return the age of the oldest entry that is not acknowledged; 0 when there is none."""
        return max(await self._of_each(lambda shard: self[shard].lag_ms(now_ms)))

    async def _of_each(self, ask: Callable[[int], Awaitable[T]]) -> list[T]:
        return await asyncio.gather(*(ask(shard) for shard in await self.known()))
