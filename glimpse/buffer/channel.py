"""How a turn's commands reach Redis: through redis-py, or written directly to one plain node or a cluster's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from redis.asyncio import Redis

from glimpse.buffer.cluster_channel import ClusterChannel
from glimpse.buffer.connection import UNAVAILABLE
from glimpse.buffer.direct import DirectChannel
from glimpse.buffer.records import Command
from glimpse.settings import CLUSTER_SCHEMES

Settled = Callable[[Sequence[Any], str | None], None]  # the commands' replies, or a problem


class Channel(Protocol):
    """Sends one transaction at a time."""

    def send(self, commands: Sequence[Command], settled: Settled) -> None:
        """Execute the commands as one MULTI and call `settled` once, later."""
        ...

    def abandon(self) -> None:
        """Give up what is under way: its `settled` is never called."""
        ...


class PooledChannel:
    """Through redis-py, which knows TLS and access lists."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._task: asyncio.Task[None] | None = None

    def send(self, commands: Sequence[Command], settled: Settled) -> None:
        """Execute the commands as one MULTI and call `settled` once, later."""
        self._task = asyncio.create_task(self._execute(commands, settled))

    def abandon(self) -> None:
        """Give up what is under way; the library drops its connection with it."""
        if self._task:
            self._task.cancel()

    async def _execute(self, commands: Sequence[Command], settled: Settled) -> None:
        replies: Sequence[Any] = ()
        trouble: str | None = None
        try:
            pipe = self._redis.pipeline(transaction=True)
            for command in commands:
                pipe.execute_command(*command)
            replies = await pipe.execute()
        except UNAVAILABLE as problem:
            trouble = str(problem) or type(problem).__name__
        settled(replies, trouble)


def open_channel(url: str, redis: Redis) -> Channel:
    """Return the fastest channel that the address allows."""
    if url.startswith(CLUSTER_SCHEMES):
        return ClusterChannel(cast("Any", redis), url)
    address = urlsplit(url)
    is_plain = address.scheme in ("redis", "unix") and not (address.username or address.password or address.query)
    database = address.path.strip("/") if address.scheme == "redis" else ""
    if not is_plain or not (database or "0").isdigit():
        return PooledChannel(redis)
    place = address.path if address.scheme == "unix" else (address.hostname or "localhost", address.port or 6379)
    return DirectChannel(place, int(database or 0))
