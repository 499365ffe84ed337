"""What a server's own books say it took: a rate counts only when they hold every event that was answered with 200."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Protocol

import msgspec
from redis import Redis

_DRAINED_WITHIN_S = 60


class Books(Protocol):
    """The books of a server, in its Redis."""

    redis: Any

    def taken(self) -> Counter[str]:
        """Return how many events were accepted and refused so far."""
        ...

    def held(self) -> int | None:
        """Return how many events of the round the queue itself holds; None when somebody drains it."""
        ...

    def clear(self) -> None:
        """Empty the queue, so that every round begins alike."""
        ...


class GlimpseBooks:
    """Glimpse's ledger, and the events in its streams."""

    def __init__(self, redis: Redis) -> None:
        self.redis: Any = redis

    def taken(self) -> Counter[str]:
        """Return what the ledger says."""
        counts: Counter[str] = Counter()
        for key in self.redis.scan_iter("glimpse:ledger:*"):
            for field, count in self.redis.hgetall(key).items():
                counts[field.decode().split("|")[1]] += int(count)
        return counts

    def held(self) -> int | None:
        """Return how many events are in the streams."""
        return sum(_events_in(self.redis, stream) for stream in self._streams())

    def clear(self) -> None:
        """Drop the streams' entries."""
        for stream in self._streams():
            self.redis.xtrim(stream, maxlen=0, approximate=False)
        _shorten_file(self.redis)

    def _streams(self) -> list[bytes]:
        return list(self.redis.scan_iter("glimpse:events:*", _type="stream"))


class DrainedBooks(GlimpseBooks):
    """Those of a server that drains too: its streams are empty when it has caught up."""

    def held(self) -> int | None:
        """Return None: the drain takes them away."""
        return None

    def clear(self) -> None:
        """Wait for the drain."""
        deadline = time.monotonic() + _DRAINED_WITHIN_S
        while any(self.redis.xlen(stream) for stream in self._streams()) and time.monotonic() < deadline:
            time.sleep(0.05)
        _shorten_file(self.redis)


class BullBooks:
    """BullMQ's: the number of the last job, and the jobs that wait."""

    _QUEUE = "bull:eventQueue"

    def __init__(self, redis: Redis) -> None:
        self.redis: Any = redis

    def taken(self) -> Counter[str]:
        """Return how many jobs there have been; refusals are not counted there."""
        return Counter({"accepted": int(self.redis.get(f"{self._QUEUE}:id") or 0)})

    def held(self) -> int | None:
        """Return how many jobs wait."""
        return self.redis.llen(f"{self._QUEUE}:wait")

    def clear(self) -> None:
        """Drop the jobs, and leave what the queue knows of itself."""
        kept = {name: self.redis.dump(f"{self._QUEUE}:{name}") for name in ("meta", "id", "marker")}
        self.redis.flushall()
        for name, value in kept.items():
            if value:
                self.redis.restore(f"{self._QUEUE}:{name}", 0, value)
        _shorten_file(self.redis)


def _events_in(redis: Any, stream: bytes) -> int:
    total, start = 0, "-"
    while page := redis.xrange(stream, min=start, count=2000):
        total += sum(sum(msgspec.msgpack.decode(fields[b"n"]).values()) for _, fields in page)
        start = b"(" + page[-1][0]
    return total


def _shorten_file(redis: Any) -> None:
    """Write the append-only file anew between rounds: none of them is to do it during its own."""
    redis.bgrewriteaof()
    deadline = time.monotonic() + 10
    while redis.info("persistence")["aof_rewrite_in_progress"] and time.monotonic() < deadline:
        time.sleep(0.02)
