"""The buffer between edge and drain: one Redis stream, its consumer group and its counters.

Rule of this module: an answer to the edge means that Redis has confirmed; nothing is trimmed that is not acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from redis import exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline as RedisPipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from glimpse.errors import BufferUnavailable
from glimpse.events import AdmittedEvent, Event, Session
from glimpse.patience import answer_within
from glimpse.settings import Settings

log = logging.getLogger("glimpse.buffer")

STREAM = "glimpse:events:{0}"
LEDGER = "glimpse:ledger:{0}"
GROUP = "glimpse"
CONSUMER = "drain"  # one owner at a time drains, so what a dead one held is this one's own backlog
DEAD = "glimpse:dead"
LIVE = "glimpse:live:{0}"
FOLLOWERS = "glimpse:followers"
LIVE_KEPT_MS = 120_000
FOLLOWER_TTL_S = 15
LENGTH_ASKED_EVERY_S = 0.25
FOLLOWERS_ASKED_EVERY_S = 1.0
LENGTH_WITHIN_S = 0.03
ANSWER_WITHIN_S = 0.18  # so that the edge's 503 leaves within 250 ms
DAY_MS = 86_400_000
OLD_SALT_TRIED_MS = 300_000

_encoder = msgspec.msgpack.Encoder()
_admitted_decoder = msgspec.msgpack.Decoder(list[AdmittedEvent])
_rows_decoder = msgspec.msgpack.Decoder(list[Event])

_UNAVAILABLE = (redis_errors.RedisError, OSError, TimeoutError)


class Receipt(msgspec.Struct):
    """What one request brought: events to keep, and counts by (project or '', reason) of the others."""

    admitted: list[AdmittedEvent]
    rejected: dict[tuple[str, str], int] = {}
    dropped: dict[tuple[str, str], int] = {}


class Entry(msgspec.Struct):
    """One stream entry: events that arrived in one turn of an edge's loop."""

    id: str
    events: list[AdmittedEvent]
    damage: str | None = None  # why it can't be decoded
    payload: bytes = b""


def entry_order(entry_id: str) -> tuple[int, int]:
    """Return a stream id as numbers, which order as the stream does."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)


class EventBuffer:
    """Append, read, acknowledge, dead-letter; also the salts and the live rows that processes share."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client
        self._high_mark = settings.buffer_high_mark
        self._waiting: list[tuple[Receipt, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._salts: dict[int, bytes] = {}
        self._length = 0
        self._length_seen_at = 0.0
        self._has_followers = False
        self._followers_seen_at = 0.0
        self.problem: str | None = None
        self.group_was_made_again = 0

    @classmethod
    async def open(cls, url: str, settings: Settings) -> EventBuffer:
        """Connect to `redis://…` or `unix:///path` and make the consumer group.

        Raises
        ------
        BufferUnavailable
            When the server can't be reached, or may evict keys (an evicted stream loses events silently).
        """
        no_retry = Retry(NoBackoff(), 0)  # the library's own retry can double an entry
        redis = Redis.from_url(url, retry=no_retry, socket_connect_timeout=1.0, socket_timeout=2.0)
        buffer = cls(redis, settings)
        try:
            await buffer._refuse_eviction()
            await buffer._make_group()
        except BufferUnavailable:
            await redis.aclose()
            raise
        except _UNAVAILABLE as problem:
            await redis.aclose()
            raise BufferUnavailable(f"no Redis at {url.rpartition('@')[2]}: {problem}") from problem
        return buffer

    async def close(self) -> None:
        """Close the connections; what waits for an answer gets one first."""
        if self._flusher:
            await asyncio.wait([self._flusher], timeout=1)
        with contextlib.suppress(*_UNAVAILABLE):
            await self._redis.aclose()

    # -- the edge's side -------------------------------------------------------------------------------------------

    async def append(self, receipt: Receipt) -> None:
        """Write a request's events and counts in one MULTI; return when Redis has confirmed it.

        Requests of one turn of the loop share one entry and one round trip.

        Raises
        ------
        BufferUnavailable
            Within 250 ms, when Redis does not confirm or the backlog is past its high mark.
        """
        if receipt.admitted:
            await self._refuse_overflow()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((receipt, done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            # Whoever has given up waiting got a 503: writing it now would count it.
            batch, self._waiting = [waiting for waiting in self._waiting if not waiting[1].cancelled()], []
            if not batch:
                return
            problem = await self._write([receipt for receipt, _ in batch])
            for _, done in batch:
                if done.cancelled():
                    continue
                if problem:
                    done.set_exception(BufferUnavailable(problem))
                else:
                    done.set_result(None)

    async def _write(self, receipts: Sequence[Receipt]) -> str | None:
        try:
            async with answer_within(ANSWER_WITHIN_S):
                pipe = self._redis.pipeline(transaction=True)
                _queue_entry(pipe, receipts)
                _queue_counts(pipe, receipts)
                await pipe.execute()
        except _UNAVAILABLE as problem:
            self.problem = f"Redis can't take events: {str(problem) or type(problem).__name__}"
            return self.problem
        self.problem = None
        return None

    async def _refuse_overflow(self) -> None:
        now = time.monotonic()
        if now - self._length_seen_at > LENGTH_ASKED_EVERY_S:
            self._length_seen_at = now
            with contextlib.suppress(*_UNAVAILABLE):
                async with asyncio.timeout(LENGTH_WITHIN_S):
                    self._length = await self._redis.xlen(STREAM)
        if self._length >= self._high_mark:
            raise BufferUnavailable(f"{self._length} entries wait in the buffer; its high mark is {self._high_mark}")

    async def salts(self, now_ms: int) -> tuple[bytes, bytes | None]:
        """Return today's salt (UTC) and, for the first 300 s of a day, yesterday's.

        Raises
        ------
        BufferUnavailable
            When Redis, the only place that holds them, does not answer.
        """
        today = now_ms // DAY_MS
        before = await self._salt(today - 1) if now_ms % DAY_MS < OLD_SALT_TRIED_MS else None
        return await self._salt(today), before

    async def _salt(self, day: int) -> bytes:
        if day not in self._salts:
            key = f"glimpse:salt:{day}"
            try:
                async with answer_within(ANSWER_WITHIN_S):
                    await self._redis.set(key, secrets.token_bytes(32), nx=True, ex=2 * DAY_MS // 1000)
                    salt = await self._redis.get(key)
            except _UNAVAILABLE as problem:
                raise BufferUnavailable(f"Redis can't give the day's salt: {problem}") from problem
            self._salts = {d: s for d, s in self._salts.items() if d >= day - 1} | {day: bytes(salt)}
        return self._salts[day]

    # -- the drain's side ------------------------------------------------------------------------------------------

    async def read(self, count: int = 500) -> list[Entry]:
        """Return new entries, oldest first; at most `count`."""
        return await self._read_group(">", count)

    async def read_unacknowledged(self, after: str = "0", count: int = 500) -> list[Entry]:
        """Return entries that were delivered before but not acknowledged, past the id `after`."""
        return await self._read_group(after, count)

    async def _read_group(self, start: str, count: int) -> list[Entry]:
        try:
            answer = await self._redis.xreadgroup(GROUP, CONSUMER, {STREAM: start}, count=count)
        except redis_errors.ResponseError as problem:
            if "NOGROUP" not in str(problem):
                raise BufferUnavailable(str(problem)) from problem
            self.group_was_made_again += 1
            log.warning("the buffer's consumer group had vanished; made again from the stream's start")
            await self._make_group()
            return []
        except _UNAVAILABLE as problem:
            self.problem = f"Redis can't give events: {problem}"
            raise BufferUnavailable(self.problem) from problem
        entries = _entries_of(answer)
        return [_decode(entry_id, fields) for entry_id, fields in entries if fields]

    async def acknowledge(self, entry_ids: Sequence[str]) -> None:
        """Mark entries as done and trim the stream below the last of them."""
        if not entry_ids:
            return
        last = max(entry_ids, key=entry_order)
        pipe = self._redis.pipeline(transaction=True)
        pipe.xack(STREAM, GROUP, *entry_ids)
        pipe.xtrim(STREAM, minid=_next_id(last), approximate=False)
        await self._run(pipe)

    async def dead_letter(self, letters: Iterable[tuple[str, bytes]]) -> None:
        """Set events aside, each as (reason, payload); payloads hold no address."""
        pipe = self._redis.pipeline(transaction=True)
        for reason, payload in letters:
            pipe.xadd(DEAD, {"reason": reason, "payload": payload})
        await self._run(pipe)

    async def counts(self, project: str) -> dict[str, dict[str, int]]:
        """Return the edge's counters of a project ('*': all): outcome -> reason -> events."""
        (counters,) = await self._run(self._redis.pipeline(transaction=False).hgetall(LEDGER))
        found: dict[str, Counter[str]] = {"accepted": Counter(), "rejected": Counter(), "dropped": Counter()}
        for field, value in counters.items():
            owner, outcome, reason = field.decode().split("|", 2)
            if project in ("*", owner):
                found[outcome][reason] += int(value)
        return {outcome: dict(reasons) for outcome, reasons in found.items()}

    async def waiting(self, project: str, after: str) -> int:
        """Return how many of a project's events ('*': all) stand in the stream past the id `after`."""
        total, start = 0, f"({after}"
        while page := await self._redis.xrange(STREAM, min=start, count=1000):
            for _, fields in page:
                counts = msgspec.msgpack.decode(fields[b"n"])
                total += sum(counts.values()) if project == "*" else counts.get(project, 0)
            start = f"({page[-1][0].decode()}"
        return total

    async def lag_ms(self, now_ms: int) -> int:
        """Return the age of the oldest entry that is not acknowledged; 0 when there is none."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.xrange(STREAM, count=1)
        (oldest,) = await self._run(pipe)
        return max(0, now_ms - entry_order(oldest[0][0].decode())[0]) if oldest else 0

    # -- what processes share --------------------------------------------------------------------------------------

    async def mirror(self, sessions: Iterable[Session], timeout_s: int, now_ms: int) -> None:
        """Write live sessions as `session:{project}:<id>` and `active_sessions:{project}`, scored by last seen."""
        pipe = self._redis.pipeline(transaction=False)
        for session in sessions:
            key = f"session:{{{session.project}}}:{session.id}"
            pipe.hset(key, mapping=_mirrored(session))
            pipe.expire(key, timeout_s)
            active = f"active_sessions:{{{session.project}}}"
            # A client's clock may be ahead: by the server's, nobody was seen later than now.
            pipe.zadd(active, {session.id: min(session.last_seen_at, now_ms)}, gt=True)
            pipe.zremrangebyscore(active, "-inf", now_ms - timeout_s * 1000)
            pipe.expire(active, timeout_s)
        await self._run(pipe)

    async def visitors_of(self, sessions: Sequence[Session]) -> list[str | None]:
        """Return the mirrored visitor hash of each session, None where it has expired."""
        pipe = self._redis.pipeline(transaction=False)
        for session in sessions:
            pipe.hget(f"session:{{{session.project}}}:{session.id}", "visitor")
        return [found.decode() if found else None for found in await self._run(pipe)]

    async def announce_follower(self) -> None:
        """Say that a process without the drain wants live rows; repeat within 15 s."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.set(FOLLOWERS, 1, ex=FOLLOWER_TTL_S)
        await self._run(pipe)

    async def publish(self, rows: Sequence[Event], now_ms: int) -> None:
        """Give rows to the processes that follow, if there are any."""
        pipe = self._redis.pipeline(transaction=False)
        if time.monotonic() - self._followers_seen_at > FOLLOWERS_ASKED_EVERY_S:
            self._followers_seen_at = time.monotonic()
            (self._has_followers,) = (bool(found) for found in await self._run(pipe.exists(FOLLOWERS)))
        if rows and self._has_followers:
            pipe.xadd(LIVE, {"r": _encoder.encode(rows)}, minid=str(now_ms - LIVE_KEPT_MS), approximate=True)
            await self._run(pipe)

    async def read_live(self, after: str, count: int = 100) -> tuple[list[Event], str]:
        """Return rows published past the id `after` ('0' at first), and the id to go on from."""
        try:
            answer = await self._redis.xread({LIVE: after}, count=count)
        except _UNAVAILABLE as problem:
            raise BufferUnavailable(str(problem)) from problem
        entries = _entries_of(answer)
        rows = [row for _, fields in entries for row in _rows_decoder.decode(fields[b"r"])]
        return rows, entries[-1][0].decode() if entries else after

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _run(self, pipe: RedisPipeline) -> list[Any]:
        try:
            return await pipe.execute() if len(pipe) else []
        except _UNAVAILABLE as problem:
            raise BufferUnavailable(str(problem)) from problem

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis_errors.ResponseError as problem:
            if "BUSYGROUP" not in str(problem):
                raise

    async def _refuse_eviction(self) -> None:
        memory = await self._redis.info("memory")
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction" and memory.get("maxmemory", 0):
            raise BufferUnavailable(
                f"this Redis evicts keys (maxmemory-policy {policy}) and so loses events; set it to noeviction",
            )


def _queue_entry(pipe: RedisPipeline, receipts: Sequence[Receipt]) -> None:
    events = [event for receipt in receipts for event in receipt.admitted]
    if events:
        projects = Counter(event.project for event in events)
        pipe.xadd(STREAM, {"e": _encoder.encode(events), "n": _encoder.encode(projects)})
        for project, count in projects.items():
            pipe.hincrby(LEDGER, f"{project}|accepted|", count)


def _queue_counts(pipe: RedisPipeline, receipts: Sequence[Receipt]) -> None:
    counts: Counter[str] = Counter()
    for receipt in receipts:
        for outcome, reasons in (("rejected", receipt.rejected), ("dropped", receipt.dropped)):
            for (project, reason), count in reasons.items():
                counts[f"{project}|{outcome}|{reason}"] += count
    for field, count in counts.items():
        pipe.hincrby(LEDGER, field, count)


def _entries_of(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return the entries of a one-stream XREAD answer, in the shape of either protocol version."""
    if not answer:
        return []
    if isinstance(answer, dict):
        (pages,) = answer.values()
        return [entry for page in pages for entry in page]
    return answer[0][1]


def _decode(entry_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    payload = fields.get(b"e", b"")
    try:
        return Entry(entry_id.decode(), _admitted_decoder.decode(payload))
    except msgspec.DecodeError as problem:
        return Entry(entry_id.decode(), [], damage=f"undecodable entry: {problem}", payload=payload)


def _next_id(entry_id: str) -> str:
    milliseconds, sequence = entry_order(entry_id)
    return f"{milliseconds}-{sequence + 1}"


def _mirrored(session: Session) -> dict[str, str]:
    facts = {
        "country": session.country,
        "region": session.region,
        "city": session.city,
        "timezone": session.time_zone,
        "lat": session.lat,
        "lon": session.lon,
        "lastEventTimestamp": session.last_seen_at,
        "startedAt": session.started_at,
        "pages": session.pages,
        "events": session.events,
        "device": session.device,
        "source": session.source,
        "visitor": session.visitor,
    }
    return {name: str(value) for name, value in facts.items() if value is not None}
