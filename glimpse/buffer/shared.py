"""What processes share through Redis besides events: live rows, and the mirror of live sessions."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
from redis.asyncio import Redis

from glimpse.buffer.channel import Channel
from glimpse.buffer.connection import UNAVAILABLE, entries_of, run
from glimpse.buffer.records import Command
from glimpse.errors import BufferUnavailable
from glimpse.events import Event, Merge, Session
from glimpse.patience import answer_within

LIVE = "glimpse:live:{0}"
FOLLOWERS = "glimpse:followers"
LIVE_KEPT_S = 120.0
FOLLOWER_TTL_S = 15
FOLLOWERS_ASKED_EVERY_S = 1.0
SESSIONS_AT_ONCE = 500  # one transaction: others wait for it
MIRROR_WITHIN_S = 1.0
# What stays as it is of a session is written again after so long: by then a Redis that lost it has it again.
WRITTEN_WHOLE_EVERY_S = 30.0
# A session's fields that hardly change, by their names in the hash.
_LASTING = {
    "country": "country",
    "region": "region",
    "city": "city",
    "timezone": "time_zone",
    "lat": "lat",
    "lon": "lon",
    "startedAt": "started_at",
    "device": "device",
    "source": "source",
    "visitor": "visitor",
}
_lasting_of = attrgetter(*_LASTING.values())

_encode = msgspec.msgpack.Encoder().encode
_rows_decoder = msgspec.msgpack.Decoder(list[Event])
_merges_decoder = msgspec.msgpack.Decoder(list[Merge])
_sessions_decoder = msgspec.msgpack.Decoder(list[Session])
_NONE = _encode([])  # what an owner of an earlier version wrote has none


class LiveLot(NamedTuple):
    """What the drain took at once: sessions that turned out to be one come first."""

    merges: list[Merge]
    rows: list[Event]
    sessions: list[Session] = []  # noqa: RUF012 - nobody changes it; those of the rows, as they are now known


class LiveRows:
    """Rows for processes without the drain, written only while one of them follows."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client
        self._name = uuid4().bytes
        self._has_followers = False
        # When, by a clock that nobody can set, what was written; the ids are by Redis' clock, which somebody may.
        self._kept: deque[tuple[float, str]] = deque()
        self.followers_seen_at = 0.0  # by the monotonic clock

    async def announce_follower(self) -> None:
        """Say that a process without the drain wants live rows; repeat within 15 s."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.set(FOLLOWERS, 1, ex=FOLLOWER_TTL_S)
        await run(pipe)

    async def publish(
        self, rows: Sequence[Event], merges: Sequence[Merge] = (), sessions: Sequence[Session] = ()
    ) -> None:
        """Give rows to the processes that follow, if there are any, their sessions, and which of these became one."""
        pipe = self._redis.pipeline(transaction=False)
        if time.monotonic() - self.followers_seen_at > FOLLOWERS_ASKED_EVERY_S:
            self.followers_seen_at = time.monotonic()
            (self._has_followers,) = (bool(found) for found in await run(pipe.exists(FOLLOWERS)))
        if rows and self._has_followers:
            await self._write({"r": _encode(rows), "m": _encode(merges), "s": _encode(sessions), "w": self._name})

    async def _write(self, lot: dict[str, bytes]) -> None:
        now = time.monotonic()
        while self._kept and self._kept[0][0] < now - LIVE_KEPT_S:
            self._kept.popleft()
        pipe = self._redis.pipeline(transaction=False)
        pipe.xadd(LIVE, lot, minid=self._kept[0][1] if self._kept else None, approximate=True)
        (entry_id,) = await run(pipe)
        self._kept.append((now, entry_id.decode()))

    async def read(self, after: str, count: int, *, is_others: bool = False) -> tuple[list[LiveLot], str]:
        """Return what was published past the id `after` ('0' at first), by others if so wished; and where to go on."""
        try:
            answer = await self._redis.xread({LIVE: after}, count=count)
        except UNAVAILABLE as problem:
            raise BufferUnavailable(str(problem)) from problem
        entries = entries_of(answer)
        lots = [
            LiveLot(
                _merges_decoder.decode(fields[b"m"]),
                _rows_decoder.decode(fields[b"r"]),
                _sessions_decoder.decode(fields.get(b"s", _NONE)),
            )
            for _, fields in entries
            if not is_others or fields.get(b"w") != self._name
        ]
        return lots, entries[-1][0].decode() if entries else after


class SessionMirror:
    """Live sessions as `session:{project}:<id>` and `active_sessions:{project}`."""

    def __init__(self, redis: Redis, channel: Channel) -> None:
        self._redis: Any = redis
        self._channel = channel  # one of its own: what the edge writes does not wait for it
        # By key: what Redis has of a session that events don't change, and until when that is believed.
        self._written: dict[str, tuple[tuple[object, ...], float]] = {}
        self._forgets_at = 0.0

    async def write(self, sessions: Iterable[Session], timeout_s: int, now_ms: int, gone: Iterable[Merge] = ()) -> None:
        """Write sessions, and let those go that have not been seen for a timeout, or are part of another now.

        Raises
        ------
        BufferUnavailable
            When Redis does not do all of it within a second.
        """
        by_project: dict[str, tuple[list[Session], list[str]]] = defaultdict(lambda: ([], []))
        for session in sessions:
            by_project[session.project][0].append(session)
        for merge in gone:
            by_project[merge.project][1].append(merge.gone)
        for project, (seen, ids) in by_project.items():
            for first in range(0, max(1, len(seen)), SESSIONS_AT_ONCE):
                some = seen[first : first + SESSIONS_AT_ONCE]
                await self._do(self._commands(project, some, ids, timeout_s, now_ms))
                ids = []  # noqa: PLW2901 - they go with the first

    async def visitors_of(self, sessions: Sequence[Session]) -> list[str | None]:
        """Return the mirrored visitor hash of each session, None where it has expired."""
        pipe = self._redis.pipeline(transaction=False)
        for session in sessions:
            pipe.hget(f"session:{{{session.project}}}:{session.id}", "visitor")
        return [found.decode() if found else None for found in await run(pipe)]

    def close(self) -> None:
        """Let go of the connection."""
        self._channel.abandon()

    def _commands(
        self, project: str, sessions: Sequence[Session], gone: Sequence[str], timeout_s: int, now_ms: int
    ) -> list[Command]:
        active, now_s = f"active_sessions:{{{project}}}", time.monotonic()
        self._forget_old(now_s)
        commands: list[Command] = []
        for session in sessions:
            key = f"session:{{{project}}}:{session.id}"
            commands += (("HSET", key, *self._news(key, session, now_s)), ("EXPIRE", key, timeout_s))
        if sessions:
            # A client's clock may be ahead: by the server's, nobody was seen later than now.
            scores = [(min(session.last_seen_at, now_ms), session.id) for session in sessions]
            commands.append(("ZADD", active, "GT", *chain.from_iterable(scores)))
        for session_id in gone:
            # Its hash runs out by itself: until the merge is stored, who starts anew finds the visitor there.
            commands.append(("ZREM", active, session_id))
        commands += (("ZREMRANGEBYSCORE", active, "-inf", now_ms - timeout_s * 1000), ("EXPIRE", active, timeout_s))
        return commands

    def _news(self, key: str, session: Session, now_s: float) -> Sequence[str | int]:
        """Return a hash's fields and values in turn: what changes with each event, and all when that is due."""
        lasting = _lasting_of(session)
        known = self._written.get(key)
        news = ("lastEventTimestamp", session.last_seen_at, "pages", session.pages, "events", session.events)
        if known is not None and known[0] == lasting and now_s < known[1]:
            return news
        self._written[key] = lasting, now_s + WRITTEN_WHOLE_EVERY_S
        return *news, *_told(lasting)

    def _forget_old(self, now_s: float) -> None:
        if now_s >= self._forgets_at:
            self._forgets_at = now_s + WRITTEN_WHOLE_EVERY_S
            self._written = {key: known for key, known in self._written.items() if known[1] > now_s}

    async def _do(self, commands: Sequence[Command]) -> None:
        settled: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

        def decide(_replies: Sequence[Any], problem: str | None) -> None:
            if not settled.done():
                settled.set_result(problem)

        self._channel.send(commands, decide)
        try:
            async with answer_within(MIRROR_WITHIN_S):
                problem = await settled
        except BaseException as problem:
            self._channel.abandon()
            self._written.clear()
            if isinstance(problem, TimeoutError):
                raise BufferUnavailable("Redis does not answer") from problem
            raise
        if problem:
            self._written.clear()
            raise BufferUnavailable(problem)


def _told(lasting: tuple[object, ...]) -> list[str]:
    """Return fields and values in turn; what is not known has no field."""
    known = ((name, value) for name, value in zip(_LASTING, lasting, strict=True) if value is not None)
    return [word for name, value in known for word in (name, str(value))]
