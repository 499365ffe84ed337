"""Dead letters: events that could not be stored, each with the reason, to be looked at and played again.

Rule of this module: a letter has a key of its own, so that setting it aside twice is setting it aside once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from glimpse.buffer.connection import UNAVAILABLE, run
from glimpse.buffer.records import DEAD, Entry, stream_of
from glimpse.errors import BufferUnavailable
from glimpse.events import AdmittedEvent

_encode = msgspec.msgpack.Encoder().encode


class Letter(msgspec.Struct, frozen=True):
    """One event, or a whole entry that can't be told apart into events. No address in it."""

    key: str
    reason: str
    counts: dict[str, int]  # events by project
    payload: bytes  # as in the stream
    is_replayable: bool = True
    at: int = msgspec.field(default_factory=lambda: time.time_ns() // 1_000_000)  # epoch ms

    @classmethod
    def of_event(cls, event: AdmittedEvent, reason: str) -> Letter:
        """Set one event aside."""
        return cls(f"{event.project}:{event.id}", reason, {event.project: 1}, _encode([event]))

    @classmethod
    def of_entry(cls, entry: Entry, reason: str) -> Letter:
        """Set a whole entry aside; only one that could be decoded can be played again."""
        if entry.packed:
            counts = dict(Counter(event.project for event in entry.packed))
            return cls(f"entry:{entry.id}", reason, counts, _encode(entry.packed))
        return cls(f"entry:{entry.id}", reason, entry.counts or {"": 1}, entry.payload, is_replayable=False)


_decode = msgspec.msgpack.Decoder(Letter).decode
_events_of = msgspec.msgpack.Decoder(list[AdmittedEvent]).decode
# The letters and a shard's stream may be on two nodes of a cluster, so no transaction holds both. KEYS: a mark that
# this letter was played, and the stream. What was cut off in between is made up by whoever plays the letter again.
_PLAY = """
if redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then
  redis.call('XADD', KEYS[2], '*', 'e', ARGV[2], 'n', ARGV[3], 'r', ARGV[3])
end
"""
_MARK_KEPT_S = 30 * 86_400
# KEYS[1] the letters; ARGV: a key, and the letter that is to go. Another one may be there by now.
_REMOVE = "if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end"


class DeadLetters:
    """The letters, one hash in Redis; they are played again into one of so many shards."""

    def __init__(self, redis: Redis, shards: int = 1) -> None:
        self._shards = shards
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client

    async def add(self, letters: Iterable[Letter]) -> None:
        """Set letters aside; one that is there already is replaced."""
        pipe = self._redis.pipeline(transaction=False)
        if named := {letter.key: _encode(letter) for letter in letters}:
            pipe.hset(DEAD, mapping=named)
        await run(pipe)

    async def all(self) -> list[Letter]:
        """Return all letters, the oldest first."""
        (found,) = await run(self._redis.pipeline(transaction=False).hvals(DEAD))
        return sorted((_decode(letter) for letter in found), key=lambda letter: letter.at)

    async def replay(self, keys: Sequence[str]) -> list[str]:
        """Put letters back into the stream, each once however often it is tried; return the keys of those that went.

        One that is not there, or can't be decoded, stays as it is.
        """
        return [key for key in keys if await self._replay_one(key)]

    async def _replay_one(self, key: str) -> bool:
        try:
            found = await self._redis.hget(DEAD, key)
            letter = _decode(found) if found else None
            if letter is None or not letter.is_replayable:
                return False
            shard = _events_of(letter.payload)[0].shard % self._shards
            mark, counts = f"glimpse:played:{{{shard}}}:{letter.at}:{key}", _encode(letter.counts)
            await self._redis.eval(_PLAY, 2, mark, stream_of(shard), _MARK_KEPT_S, letter.payload, counts)
            await self._redis.eval(_REMOVE, 1, DEAD, key, found)
        except UNAVAILABLE as problem:
            raise BufferUnavailable(str(problem)) from problem
        return True
