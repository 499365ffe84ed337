"""The drain's side of one shard of the buffer: read, acknowledge; and what stands in its books and waits.

Rule of this module: who drains a shard holds its lease, and Redis itself refuses to give or acknowledge anything to
somebody else. So all drains are one consumer of the group: what a dead one held is the next one's own backlog.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from redis import exceptions as redis_errors
from redis.asyncio import Redis

from glimpse.buffer.connection import UNAVAILABLE, run
from glimpse.buffer.records import (
    GROUP,
    Entry,
    decode_counts,
    decode_entry,
    entry_order,
    lease_of,
    ledger_of,
    next_id,
    stream_of,
)
from glimpse.errors import BufferUnavailable, LeaseLost

log = logging.getLogger("glimpse.buffer")

CONSUMER = "drain"
ACKNOWLEDGED_AT_ONCE = 5_000
WAITING = "waiting"  # the outcome of what is not drained yet
Books = Counter[tuple[str, str, str]]  # by project, outcome and reason
_CLAIMED_AT_ONCE = 1_000

_LEASED = "LEASED"
_FENCE = f"""
local owner = redis.call('HGET', KEYS[2], 'owner')
if owner and owner ~= '' and owner ~= ARGV[1] then return redis.error_reply('{_LEASED} to ' .. owner) end
"""
_READ = f"""{_FENCE}
local answer = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[4], 'STREAMS', KEYS[1], ARGV[5])
return answer and answer[1][2] or {{}}
"""
_CLAIM = f"""{_FENCE}
return redis.call('XAUTOCLAIM', KEYS[1], ARGV[2], ARGV[3], 0, ARGV[4], 'COUNT', ARGV[5], 'JUSTID')[1]
"""
_BOOKS = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return {newest and newest[1] or '', redis.call('HGETALL', KEYS[2])}
"""
_ACKNOWLEDGE = f"""{_FENCE}
for first = 4, #ARGV, 1000 do
  redis.call('XACK', KEYS[1], ARGV[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('XTRIM', KEYS[1], 'MINID', ARGV[3])
"""


class Stream:
    """A shard's stream with its consumer group and its ledger."""

    def __init__(self, redis: Redis, shard: int, token_of: Callable[[], str]) -> None:
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client
        self._shard = shard
        self._key = stream_of(shard)
        self._token_of = token_of  # who drains, as leases name this process
        self.problem: str | None = None
        self.group_was_made_again = 0

    async def make_group(self) -> None:
        """Make the consumer group, which starts at the stream's beginning; one that is there is left alone."""
        try:
            await self._redis.xgroup_create(self._key, GROUP, id="0", mkstream=True)
        except redis_errors.ResponseError as problem:
            if "BUSYGROUP" not in str(problem):
                raise

    async def read(self, start: str, count: int) -> list[Entry]:
        """Return new entries (`>`), or those past an id that were given before and not acknowledged.

        Raises
        ------
        LeaseLost
            When somebody else drains this shard now.
        BufferUnavailable
            When Redis does not answer.
        """
        try:
            found = await self._fenced(_READ, GROUP, CONSUMER, count, start)
        except redis_errors.ResponseError as problem:
            await self._make_group_again(problem)
            return []
        except UNAVAILABLE as problem:
            self.problem = f"Redis can't give events: {problem}"
            raise BufferUnavailable(self.problem) from problem
        self.problem = None
        return [decode_entry(name, _by_name(fields), self._shard) for name, fields in found if fields]

    async def acknowledge(self, entry_ids: Sequence[str]) -> None:
        """Mark entries as done and trim the stream below the last of them.

        Raises
        ------
        LeaseLost
            When somebody else drains this shard now.
        BufferUnavailable
            When Redis does not do it.
        """
        for first in range(0, len(entry_ids), ACKNOWLEDGED_AT_ONCE):
            some = entry_ids[first : first + ACKNOWLEDGED_AT_ONCE]
            try:
                await self._fenced(_ACKNOWLEDGE, GROUP, next_id(max(some, key=entry_order)), *some)
            except UNAVAILABLE as problem:
                raise BufferUnavailable(str(problem)) from problem

    async def claim(self) -> None:
        """Take over what the group has given to consumers of other names, which nobody will finish."""
        cursor = ""
        while cursor != "0-0":  # one call may find nothing, and yet not be at the end
            try:
                found = await self._fenced(_CLAIM, GROUP, CONSUMER, cursor or "0-0", _CLAIMED_AT_ONCE)
            except redis_errors.ResponseError as problem:
                await self._make_group_again(problem)
                return
            except UNAVAILABLE as problem:
                raise BufferUnavailable(str(problem)) from problem
            cursor = found.decode()

    async def deliveries(self, after: str) -> int:
        """Return how often the first entry past an id that is not acknowledged was given out; 0 when there is none."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.xpending_range(self._key, GROUP, min=f"({after}", max="+", count=1, consumername=CONSUMER)
        (found,) = await run(pipe)
        return found[0]["times_delivered"] if found else 0

    async def counts(self, project: str) -> dict[str, Counter[str]]:
        """Return the edge's counters of a project ('*': all): outcome -> reason -> events."""
        (counters,) = await run(self._redis.pipeline(transaction=False).hgetall(ledger_of(self._shard)))
        found: dict[str, Counter[str]] = {"accepted": Counter(), "rejected": Counter(), "dropped": Counter()}
        for field, value in counters.items():
            owner, outcome, reason = field.decode().split("|", 2)
            if project in ("*", owner):
                found[outcome][reason] += int(value)
        return found

    async def waiting(self, project: str, after: str) -> int:
        """Return how many of a project's events ('*': all) stand in the stream past the id `after`."""
        counts = await self._waiting(after, "+")
        return counts.total() if project == "*" else counts[project]

    async def books(self, after: str) -> Books:
        """Return every project's counters, and how many of its events stand past the id `after`; of one moment."""
        try:
            newest, flat = await self._redis.eval(_BOOKS, 2, self._key, ledger_of(self._shard))
            waiting = await self._waiting(after, newest.decode()) if newest else Counter[str]()
        except UNAVAILABLE as problem:
            raise BufferUnavailable(str(problem)) from problem
        books: Books = Counter({(project, WAITING, ""): count for project, count in waiting.items()})
        for field, count in _by_name(flat).items():
            owner, outcome, reason = field.decode().split("|", 2)
            books[owner, outcome, reason] += int(count)
        return books

    async def _waiting(self, after: str, newest: str) -> Counter[str]:
        counts, start = Counter[str](), f"({after}"
        while page := await self._redis.xrange(self._key, min=start, max=newest, count=1000):
            for _, fields in page:
                if b"r" not in fields:  # what is played again counts as dead until it is taken
                    counts.update(decode_counts(fields.get(b"n")))
            start = f"({page[-1][0].decode()}"
        return counts

    async def lag_ms(self, now_ms: int) -> int:
        """Return the age of the oldest entry that is not acknowledged; 0 when there is none."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.xrange(self._key, count=1)
        (oldest,) = await run(pipe)
        if not oldest:
            return 0
        entry = decode_entry(*oldest[0])
        # The edge's stamp goes on evenly, Redis' may not; but what is played again was received long ago.
        received = [] if entry.replayed else [event.received_at for event in entry.events]
        return max(0, now_ms - max(received, default=entry_order(entry.id)[0]))

    async def _make_group_again(self, problem: Exception) -> None:
        if "NOGROUP" not in str(problem):
            raise BufferUnavailable(str(problem)) from problem
        self.group_was_made_again += 1
        log.warning("the buffer's consumer group had vanished; made again from the stream's start")
        await self.make_group()

    async def _fenced(self, script: str, *arguments: str | int) -> Any:
        try:
            return await self._redis.eval(script, 2, self._key, lease_of(self._shard), self._token_of(), *arguments)
        except redis_errors.ResponseError as problem:
            if _LEASED in str(problem):
                raise LeaseLost(f"shard {self._shard} is drained by another process now") from problem
            raise


def _by_name(fields: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(fields[::2], fields[1::2], strict=True))
