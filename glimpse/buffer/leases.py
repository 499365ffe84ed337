"""Leases: each shard is drained by one process at a time, and what a dead one drained by another within seconds.

Rule of this module: a lease names its owner until another takes it. So who still finds its own name there knows that
nobody has drained in between, however long it stood still; and nobody judges by its own clock whether a lease is over.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from glimpse.buffer.connection import UNAVAILABLE
from glimpse.buffer.records import lease_of
from glimpse.buffer.shards import Shards
from glimpse.errors import BufferUnavailable, LeaseLost
from glimpse.patience import answer_within

LEASE_S = 3.0
RENEWED_EVERY_S = 0.75
PATIENCE_S = 2.0  # for an answer of Redis
HASTE_S = 0.3  # where things go on without one
WORKERS = "glimpse:workers"  # by when they are last expected to live, by the clock of Redis

# KEYS[1] a lease; ARGV: who asks, for how many ms, and of what place it knows that nobody else of there is alive.
# Takes it, or says who has it. A clock that was set back makes no lease last for an hour.
_TAKE = """
local time = redis.call('TIME')
local now, span = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[2])
local owner = redis.call('HGET', KEYS[1], 'owner') or ''
local left = tonumber(redis.call('HGET', KEYS[1], 'until') or 0) - now
local is_dead = ARGV[3] ~= '' and string.sub(owner, 1, #ARGV[3]) == ARGV[3]
if owner == '' or owner == ARGV[1] or is_dead or left <= 0 or left > span * 2 then
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', now + span)
  return ''
end
return owner
"""
_OWNER = """
local time = redis.call('TIME')
local left = tonumber(redis.call('HGET', KEYS[1], 'until') or 0) - time[1] * 1000
return left > 0 and redis.call('HGET', KEYS[1], 'owner') or ''
"""
_GIVE_UP = "if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then return redis.call('DEL', KEYS[1]) end"
# KEYS[1] the workers; ARGV: who says that it lives, and for how many ms. Returns all that do.
_LIVE = """
local time = redis.call('TIME')
local now, span = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], now + span, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + span * 2, '+inf')
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""


class Leases:
    """Which shards this process drains.

    Parameters
    ----------
    redis, shards
        Where they are.
    place
        What only one process at a time can drain into; who drained into it before is dead. Without one, the process
        shares the work with all that live: a store that takes many writers.
    """

    def __init__(self, redis: Redis, shards: Shards, place: str = "") -> None:
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client
        self._shards = shards
        self._place = place
        self.token = shards.token = f"{place or 'shared'}/{uuid4().hex}"
        self._held: dict[int, float] = {}  # until when, by the monotonic clock

    @property
    def held(self) -> tuple[int, ...]:
        """The shards that are leased to this process, as far as it knows."""
        return tuple(sorted(self._held))

    async def look(self) -> tuple[int, ...]:
        """Renew what is held, take what is due; return what this process ought to drain from now on.

        What is held and not returned is to be given up, once all that was read of it is stored.

        Raises
        ------
        LeaseLost
            When another process has taken one that was held.
        BufferUnavailable
            When Redis does not answer; or when another process drains into a place of its own.
        """
        known = await self._shards.known()
        await self.confirm(is_urgent=True)
        if self._place:
            return await self._take_all(known)
        quota = await self._quota(len(known))
        kept = [*self.held[:quota]]
        for shard in known:
            if len(kept) < quota and shard not in self._held and await self._take(shard) == "":
                kept.append(shard)
        return tuple(sorted(kept))

    async def confirm(self, *, is_urgent: bool = False) -> None:
        """See that everything held is still held; asks Redis only when a lease may be over, or it is urgent.

        Raises
        ------
        LeaseLost
            When another process has taken one of them.
        BufferUnavailable
            When Redis does not answer.
        """
        now, unanswered = time.monotonic(), None
        for shard in [shard for shard, until in self._held.items() if is_urgent or now >= until]:
            try:
                async with answer_within(PATIENCE_S if is_urgent or not self._place else HASTE_S):
                    owner = await self._take(shard, is_renewal=True)
            except TimeoutError:
                unanswered = BufferUnavailable("Redis does not tell who drains")
                continue
            except BufferUnavailable as problem:  # others' nodes may answer
                unanswered = problem
                continue
            if owner:
                self._held.pop(shard)
                raise LeaseLost(f"shard {shard} is drained by another process now ({_named(owner)})")
        if unanswered and (is_urgent or not self._place):  # else nobody can drain into this place, whatever Redis says
            raise unanswered

    async def give_up(self, shards: tuple[int, ...] | None = None) -> None:
        """Let others have some shards, or all; also this process' share in what becomes free.

        Raises
        ------
        BufferUnavailable
            When Redis does not answer soon: they run out by themselves.
        """
        try:
            async with answer_within(HASTE_S):
                await self._give_up(shards)
        except TimeoutError as problem:
            raise BufferUnavailable("Redis does not take back who drains") from problem

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _give_up(self, shards: tuple[int, ...] | None) -> None:
        gone = self.held if shards is None else shards
        for shard in gone:
            self._held.pop(shard, None)
            await self._ask(_GIVE_UP, lease_of(shard), self.token)
        if shards is None and not self._place:
            await self._ask("redis.call('ZREM', KEYS[1], ARGV[1])", WORKERS, self.token)

    async def _take_all(self, known: list[int]) -> tuple[int, ...]:
        for shard in known:
            if shard not in self._held and (owner := await self._take(shard)):
                await self.give_up()
                raise BufferUnavailable(
                    f"another process drains this Redis into a store of its own ({_named(owner)}), and only one can"
                )
        return self.held

    async def _quota(self, shards: int) -> int:
        """Return how many of the shards are this process' share: as many as any other's, or one more."""
        workers = sorted(await self._ask(_LIVE, WORKERS, self.token, _milliseconds()))
        each, more = divmod(shards, len(workers))
        return each + (workers.index(self.token.encode()) < more)

    async def _take(self, shard: int, *, is_renewal: bool = False) -> str:
        """Take or renew a lease; return who else has it, or nothing."""
        asked_at = time.monotonic()
        place = "" if is_renewal else self._place
        owner = (await self._ask(_TAKE, lease_of(shard), self.token, _milliseconds(), place)).decode()
        if not owner:
            self._held[shard] = asked_at + LEASE_S
        return owner

    async def _ask(self, script: str, key: str, *arguments: str | int) -> Any:
        try:
            return await self._redis.eval(script, 1, key, *arguments)
        except UNAVAILABLE as problem:
            raise BufferUnavailable(f"Redis can't tell who drains: {problem}") from problem


async def owners(redis: Any, shards: Shards) -> dict[int, str | None]:
    """Return who drains each shard that there is; None where nobody does."""
    try:
        known = await shards.known()
        found = await asyncio.gather(*(redis.eval(_OWNER, 1, lease_of(shard)) for shard in known))
    except UNAVAILABLE as problem:
        raise BufferUnavailable(f"Redis can't tell who drains: {problem}") from problem
    return {shard: _named(owner.decode()) if owner else None for shard, owner in zip(known, found, strict=True)}


def _milliseconds() -> int:
    return round(LEASE_S * 1000)


def _named(owner: str) -> str:
    return owner[:40]
