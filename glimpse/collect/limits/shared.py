"""The buckets in Redis, which all processes share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Protocol

from redis.asyncio import Redis

from glimpse.buffer.channel import Channel, open_channel
from glimpse.buffer.connection import UNAVAILABLE
from glimpse.buffer.direct import DirectChannel
from glimpse.collect.limits.bucket import Ask, Grant
from glimpse.patience import answer_within

ANSWER_WITHIN_S = 1.0  # nobody waits so long, but a late answer is better than none
# Without remarks: it is sent along, as a cluster's pipelines take no EVALSHA and a restarted server would not know it.
SCRIPT = "\n".join(
    line.strip()
    for line in (files("glimpse.collect.limits") / "bucket.lua").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.strip().startswith("--")
)


class Unanswered(Exception):
    """Redis gave no lease."""


class Lender(Protocol):
    """Where leases come from."""

    async def lend(self, asks: Sequence[Ask]) -> list[Grant]:
        """Return one grant for each ask, or raise `Unanswered`."""
        ...

    async def close(self) -> None:
        """Let go of what is its own."""
        ...


class ChannelLender:
    """Leases from one plain node, spoken to directly: in a loop that is busy, redis-py takes several turns longer."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def lend(self, asks: Sequence[Ask]) -> list[Grant]:
        """Return one grant for each ask, or raise `Unanswered`."""
        settled: asyncio.Future[tuple[Sequence[Any], str | None]] = asyncio.get_running_loop().create_future()
        commands = [("EVAL", SCRIPT, 1, *map(str, ask)) for ask in asks]
        self._channel.send(commands, lambda *outcome: None if settled.done() else settled.set_result(outcome))
        try:
            async with answer_within(ANSWER_WITHIN_S):
                given, problem = await settled
        except TimeoutError:
            self._channel.abandon()
            raise Unanswered(f"no answer within {ANSWER_WITHIN_S:g} s") from None
        if problem is not None:
            raise Unanswered(problem)
        return [Grant(*one) for one in given]

    async def close(self) -> None:
        """Let go of the connection."""
        self._channel.abandon()


class RedisLender:
    """Leases from Redis: one script for each key, so that a cluster may spread them, in one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client

    async def lend(self, asks: Sequence[Ask]) -> list[Grant]:
        """Return one grant for each ask.

        Raises
        ------
        Unanswered
            When Redis does not answer in time.
        """
        try:
            async with answer_within(ANSWER_WITHIN_S):
                pipe = self._redis.pipeline(transaction=False)
                for ask in asks:
                    pipe.eval(SCRIPT, 1, *ask)
                return [Grant(*given) for given in await pipe.execute()]
        except UNAVAILABLE as problem:
            raise Unanswered(str(problem) or type(problem).__name__) from problem

    async def close(self) -> None:
        """Leave the client to whoever gave it."""


def lender_at(url: str, redis: Redis) -> Lender:
    """Return the fastest lender that the address allows."""
    channel = open_channel(url, redis)
    return ChannelLender(channel) if isinstance(channel, DirectChannel) else RedisLender(redis)
