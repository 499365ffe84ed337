"""How full the buffer is, for whoever runs the server."""

from __future__ import annotations

from typing import Any

import msgspec
from redis.asyncio import Redis

from glimpse.buffer.connection import UNAVAILABLE, told_by_nodes
from glimpse.buffer.records import DEAD, stream_of
from glimpse.buffer.shards import Shards
from glimpse.errors import BufferUnavailable


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the buffer, and how much may."""

    entries: int  # of all shards, with those that wait for their commit
    high_mark: int  # entries past which the edge answers 503
    dead_letters: int
    memory_bytes: int
    most_memory_bytes: int | None  # None: as much as the machine has
    server: str  # which it is, with its version


async def room_of(redis: Redis, shards: Shards, high_mark: int) -> Room:
    """Ask Redis how full the buffer is.

    Raises
    ------
    BufferUnavailable
        When it does not answer.
    """
    asked: Any = redis  # redis-py's types mix the answers of its blocking and its async client
    try:
        entries = sum([await asked.xlen(stream_of(shard)) for shard in await shards.known()])
        letters = await asked.hlen(DEAD)
        memory, (told, *_) = await told_by_nodes(redis, "memory"), await told_by_nodes(redis, "server")
    except UNAVAILABLE as problem:
        raise BufferUnavailable(str(problem)) from problem
    version = told.get("valkey_version")
    return Room(
        entries=entries,
        high_mark=high_mark,
        dead_letters=letters,
        memory_bytes=sum(node.get("used_memory", 0) for node in memory),
        most_memory_bytes=sum(node.get("maxmemory", 0) for node in memory) or None,
        server=f"Valkey {version}" if version else f"Redis {told.get('redis_version', '')}",
    )
