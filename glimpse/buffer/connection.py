"""Connections to Redis through redis-py, and what may go wrong with them."""

from __future__ import annotations

import contextlib
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from redis import exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from glimpse.errors import BufferUnavailable
from glimpse.settings import CLUSTER_SCHEMES

# A cluster's client says with an exception of its own that a node or a slot is away.
UNAVAILABLE = (redis_errors.RedisError, redis_errors.RedisClusterException, OSError, TimeoutError)
DEFAULT_PORT = 6379
_CONNECT_WITHIN_S = 1.0
_ANSWER_WITHIN_S = 2.0


def connect(url: str) -> Redis:
    """Return a client of `redis://…`, `rediss://…`, `unix:///path` or `redis+cluster://…` that tries nothing twice.

    The library's own retry can double an entry: what it repeats may have been carried out already.
    """
    if url.startswith(CLUSTER_SCHEMES):
        return cast("Redis", _connect_cluster(url))  # it has the commands, though not the class
    return Redis.from_url(
        url, retry=_no_retry(), socket_connect_timeout=_CONNECT_WITHIN_S, socket_timeout=_ANSWER_WITHIN_S
    )


def _connect_cluster(url: str) -> RedisCluster:
    """Return a client of `redis+cluster://user:password@host:port,host:port`: any of its nodes tells of the others."""
    address = urlsplit(url)
    names = [place.rpartition(":") for place in address.netloc.rpartition("@")[2].split(",")]
    return RedisCluster(
        startup_nodes=[ClusterNode(host or port, int(port) if host else DEFAULT_PORT) for host, _, port in names],
        require_full_coverage=False,  # what one node's shards can't take, others' still can
        username=unquote(address.username) if address.username else None,
        password=unquote(address.password) if address.password else None,
        ssl=address.scheme.startswith("rediss"),
        retry=_no_retry(),
        socket_connect_timeout=_CONNECT_WITHIN_S,
        socket_timeout=_ANSWER_WITHIN_S,
    )


async def told_by_nodes(redis: Any, section: str) -> list[dict[str, Any]]:
    """Return what INFO tells of a section: of the server, or of each of a cluster's primaries that answers."""
    if not isinstance(redis, RedisCluster):
        return [await redis.info(section)]
    told: list[dict[str, Any]] = []
    await redis.initialize()
    for node in redis.get_primaries():
        with contextlib.suppress(*UNAVAILABLE):  # it holds none of what is written while it is away
            told.append(await cast("Any", redis).info(section, target_nodes=node))
    return told


def login_of(url: str) -> tuple[str, ...] | None:
    """Return the command that logs in with an address' user and password, if it has any."""
    address = urlsplit(url)
    words = [unquote(word) for word in (address.username, address.password) if word]
    return ("AUTH", *words) if words else None


def _no_retry() -> Retry:
    return Retry(NoBackoff(), 0)


async def run(pipe: Pipeline) -> list[Any]:
    """Execute a pipeline; nothing to do is no round trip.

    Raises
    ------
    BufferUnavailable
        When Redis does not do all of it.
    """
    try:
        return await pipe.execute() if len(pipe) else []
    except UNAVAILABLE as problem:
        raise BufferUnavailable(str(problem)) from problem


def entries_of(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return the entries of a one-stream XREAD answer, in the shape of either protocol version."""
    if not answer:
        return []
    if isinstance(answer, dict):
        (pages,) = answer.values()
        return [entry for page in pages for entry in page]
    return answer[0][1]
