from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import duckdb
import msgspec
import pytest
from records import admitted
from redis.asyncio import Redis
from waiting import wait_until_async

from glimpse.buffer import STREAM, EventBuffer, Receipt
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Device, Devices
from glimpse.errors import BufferUnavailable, StoreLost, StoreUnavailable
from glimpse.events import AdmittedEvent, Event, Merge, Session, relabel
from glimpse.geo.places import open_places
from glimpse.pipeline import DELIVERIES_ALLOWED, Pipeline
from glimpse.pipeline.drain import EVENTS_AT_ONCE, EVENTS_BESIDE_REQUESTS
from glimpse.pipeline.sharing import MOST_MIRRORED_AT_ONCE
from glimpse.server.tasks import drain as drain_task
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries, Lot

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


class SeenRows:
    """A window that only remembers, to see what the drain gives it."""

    def __init__(self) -> None:
        self.rows: list[Event] = []
        self.restored: list[Event] = []
        self.sessions: dict[str, Session] = {}

    def learn(self, sessions: Mapping[tuple[str, str], Session]) -> None:
        self.sessions.update({session.id: session for session in sessions.values()})

    def append(self, events: Sequence[Event]) -> None:
        self.rows.extend(events)

    def merge(self, merges: Sequence[Merge]) -> None:
        relabel(self.rows, merges)

    def restore(self, events: Sequence[Event]) -> None:
        self.restored.extend(events)


class Drain:
    """A pipeline on real parts, which can be killed and started again."""

    def __init__(self, buffer: EventBuffer, settings: Settings) -> None:
        self.buffer, self.settings = buffer, settings
        self.store = DuckStore.open(settings.data_dir)
        self.window = SeenRows()
        self.pipeline = Pipeline(
            buffer=buffer,
            store=self.store,
            sessions=SessionTracker(settings.session_timeout_s),
            enricher=Enricher(Tools(places=open_places(settings), devices=Devices())),
            window=self.window,
            settings=settings,
        )

    def die(self) -> None:
        """End as `kill -9` would: nothing is flushed, only the file is let go."""
        self.pipeline.commits._thread.shutdown()
        self.store.close()

    async def ledger(self, project: str = "shop") -> dict:
        queries = LocalQueries(self.store, self.buffer)
        try:
            return await queries.ledger(project)
        finally:
            queries.close()

    def stored(self) -> list[tuple]:
        return (
            self.store.reader().execute("SELECT id::VARCHAR, session_id::VARCHAR FROM events ORDER BY time").fetchall()
        )


@pytest.fixture
async def drain(buffer: EventBuffer, settings: Settings) -> AsyncIterator[Drain]:
    running = Drain(buffer, settings)
    await running.pipeline.recover()
    yield running
    running.die()


def now_ms() -> int:
    import time

    return time.time_ns() // 1_000_000


def fresh(**facts: object) -> AdmittedEvent:
    return admitted(at=now_ms(), **facts)


async def test_an_event_is_in_the_window_at_once_and_in_the_store_after_the_flush(drain: Drain):
    page = {
        "url": "https://shop.test/cart?x=1",
        "referrer": "https://www.google.com/search?q=tea",
        "timezone": "Europe/Vienna",
    }
    event = fresh(user_agent=CHROME, context=page, is_private_peer=True)
    await drain.buffer.append(Receipt([event]))
    assert await drain.pipeline.drain_once() == 1
    (row,) = drain.window.rows
    assert (row.page, row.host, row.url) == ("/cart", "shop.test", "https://shop.test/cart")
    assert (row.browser, row.os, row.device) == ("Chrome", "Linux", "desktop")
    assert (row.channel, row.city, row.country, row.place_source) == ("search", "Vienna", "AT", "timezone")
    assert drain.stored() == []
    await drain.pipeline.flush()
    assert drain.stored() == [(event.id, row.session_id)]
    assert await drain.buffer.read_unacknowledged() == []


async def test_a_hundred_rows_are_committed_without_waiting(drain: Drain):
    await drain.buffer.append(Receipt([fresh() for _ in range(100)]))
    await drain.pipeline.drain_once()
    assert len(drain.stored()) == 100


@pytest.mark.parametrize(("is_ours", "at_once"), [(False, EVENTS_AT_ONCE), (True, EVENTS_BESIDE_REQUESTS)])
async def test_fewer_events_are_taken_at_once_while_requests_to_this_process_bring_some(
    drain: Drain, redis_url: str, settings: Settings, *, is_ours: bool, at_once: int
):
    others = await EventBuffer.open(redis_url, settings)
    edge = drain.buffer if is_ours else others
    await drain.buffer.probe()  # as each server does; that brings nothing
    await edge.append(Receipt([fresh() for _ in range(50)]))
    assert await drain.pipeline.drain_once() == 50  # it knows how many an entry holds
    for _ in range(EVENTS_AT_ONCE // 50 + 1):
        await edge.append(Receipt([fresh() for _ in range(50)]))
    assert await drain.pipeline.drain_once() == at_once
    await others.close()


async def test_a_turn_with_small_entries_lets_none_follow_that_is_too_large(drain: Drain):
    turns = []
    for events in (200, 1, 600):
        await drain.buffer.append(Receipt([fresh() for _ in range(events)]))  # in entries of 200 at most
        turns.append(await drain.pipeline.drain_once())
    assert turns == [200, 1, EVENTS_BESIDE_REQUESTS]


async def test_only_a_full_turn_is_followed_by_another_at_once(drain: Drain, redis_url: str):
    beside: Any = SimpleNamespace(pipeline=drain.pipeline)  # all that the task takes of a server
    async with Redis.from_url(redis_url) as redis:

        async def turns_for(requests: int) -> int:
            for _ in range(requests):
                await drain.buffer.append(Receipt([fresh() for _ in range(50)]))
            await redis.config_resetstat()
            await drain_task(beside)
            return (await redis.info("commandstats"))["cmdstat_xreadgroup"]["calls"]

        assert await turns_for(1) == 1  # and what comes now has time until the next beat
        assert await turns_for(2 * EVENTS_BESIDE_REQUESTS // 50) == 3  # the last finds nothing
    assert drain.pipeline.drained == 50 + 2 * EVENTS_BESIDE_REQUESTS


async def test_many_sessions_that_change_in_each_turn_are_mirrored_every_two_seconds_and_when_nothing_more_comes(
    drain: Drain, redis_url: str
):
    sessions = [f"s{number}" for number in range(2 * MOST_MIRRORED_AT_ONCE)]
    async with Redis.from_url(redis_url) as redis:

        async def mirrored_after_a_turn_with(visited: Sequence[str]) -> list[int]:
            if visited:
                await drain.buffer.append(Receipt([fresh(client_session=session) for session in visited]))
            await drain.pipeline.drain_once()
            keys = [f"session:{{shop}}:{session.session_id}" for session in drain.window.rows[: len(sessions)]]
            return [int(await redis.hget(key, "events") or 0) for key in keys]

        assert await mirrored_after_a_turn_with(sessions[:1]) == [1]  # one is told at once
        await mirrored_after_a_turn_with(sessions[1:])
        assert (await mirrored_after_a_turn_with(sessions))[0] == 1  # many are not, though all have changed
        assert await mirrored_after_a_turn_with([]) == [2] * len(sessions)


async def test_requests_that_redis_is_about_to_confirm_are_told_before_the_drain_is_busy_again(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
):
    await drain.buffer.append(Receipt([fresh()]))
    channel, told, seen = drain.buffer._appender._channel, list[str | None](), list[int]()
    send, append = channel.send, drain.window.append

    def answered_late(commands: Sequence, settled: Callable) -> None:
        send(commands, lambda *answer: asyncio.get_running_loop().call_later(0.05, settled, *answer))

    monkeypatch.setattr(channel, "send", answered_late)
    monkeypatch.setattr(drain.window, "append", lambda rows: (seen.append(len(told)), append(rows)))
    drain.buffer.append_soon(Receipt([fresh()]), told.append)
    await asyncio.sleep(0)  # it is on its way
    await drain.pipeline.drain_once()
    assert (seen, told) == ([1], [None])


async def test_killed_before_the_commit_everything_is_stored_once_afterwards(buffer: EventBuffer, settings: Settings):
    first = Drain(buffer, settings)
    await first.pipeline.recover()
    events = [fresh() for _ in range(30)]
    await buffer.append(Receipt(events))
    await first.pipeline.drain_once()
    sessions = {row.session_id for row in first.window.rows}
    first.die()
    second = Drain(buffer, settings)
    await second.pipeline.recover()
    assert sorted(e for e, _ in second.stored()) == sorted(e.id for e in events)
    assert {s for _, s in second.stored()} == sessions
    assert (await second.ledger())["difference"] == 0
    second.die()


async def test_after_a_restart_the_store_is_soon_asked_for_no_event_of_a_backlog_but_what_came_before(
    buffer: EventBuffer, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    hour_ms, asked = 3_600_000, list[str]()
    before = [admitted(at=now_ms() - hour_ms * n) for n in range(1, 30)]
    first = Drain(buffer, settings)
    await first.pipeline.recover()
    await buffer.append(Receipt(before))
    await first.pipeline.drain_once()
    await first.pipeline.flush()
    first.die()
    second = Drain(buffer, settings)
    known_ids = second.store.known_ids
    monkeypatch.setattr(
        second.store, "known_ids", lambda ids, at: asked.extend(i for _, i in ids) or known_ids(ids, at)
    )
    await second.pipeline.recover()
    for _ in range(1000):
        await second.pipeline.drain_once()
        if second.pipeline._duplicates.complete_since < now_ms() - 40 * hour_ms:
            break
        await asyncio.sleep(0.01)
    backlog = [admitted(at=now_ms() - hour_ms * n) for n in range(1, 30)]
    await buffer.append(Receipt([*backlog, before[7]]))
    await second.pipeline.drain_once()
    await second.pipeline.flush()
    assert asked == [before[7].id]
    assert sorted(e for e, _ in second.stored()) == sorted(e.id for e in [*before, *backlog])
    ledger = await second.ledger()
    assert (ledger["stored"], ledger["duplicate"], ledger["difference"]) == (58, 1, 0)
    second.die()


async def test_while_the_store_takes_nothing_a_kill_loses_nothing(
    buffer: EventBuffer, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    first = Drain(buffer, settings)
    await first.pipeline.recover()

    def full(_: Lot) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(first.store, "commit", full)
    events = [fresh() for _ in range(100)]
    await buffer.append(Receipt(events))
    for _ in range(3):
        await first.pipeline.drain_once()
    first.die()
    second = Drain(buffer, settings)
    await second.pipeline.recover()
    assert sorted(e for e, _ in second.stored()) == sorted(event.id for event in events)
    second.die()


async def test_killed_between_commit_and_acknowledgement_nothing_is_doubled(
    buffer: EventBuffer, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    first = Drain(buffer, settings)
    await first.pipeline.recover()

    async def never(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(buffer, "acknowledge", never)
    await buffer.append(Receipt([fresh() for _ in range(100)]))
    with pytest.raises(ConnectionError):
        await first.pipeline.drain_once()
    first.die()
    monkeypatch.undo()
    second = Drain(buffer, settings)
    await second.pipeline.recover()
    ledger = await second.ledger()
    assert (len(second.stored()), ledger["stored"], ledger["duplicate"], ledger["difference"]) == (100, 100, 0, 0)
    assert len(second.window.restored) == 100
    second.die()


async def test_an_acknowledgement_that_failed_is_made_up_and_nothing_is_read_again(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
):
    async def away(*_: object) -> None:
        raise BufferUnavailable("away")

    await drain.buffer.append(Receipt([fresh() for _ in range(100)]))
    with monkeypatch.context() as broken:
        broken.setattr(drain.buffer, "acknowledge", away)
        broken.setattr(drain.buffer, "publish", away)
        with pytest.raises(BufferUnavailable):
            await drain.pipeline.drain_once()
        broken.setattr(drain.buffer, "read", away)
        with pytest.raises(BufferUnavailable):
            await drain.pipeline.drain_once()
    for _ in range(2):
        await drain.pipeline.drain_once()
    ledger = await drain.ledger()
    assert (ledger["stored"], ledger["duplicate"], ledger["difference"]) == (100, 0, 0)
    assert await drain.buffer.read_unacknowledged() == []


async def test_open_sessions_survive_a_restart_with_and_without_client_ids(buffer: EventBuffer, settings: Settings):
    first = Drain(buffer, settings)
    await first.pipeline.recover()
    await buffer.append(Receipt([fresh(client_session="sess_1"), fresh(visitor="hash")]))
    await first.pipeline.close()
    first.store.close()
    second = Drain(buffer, settings)
    await second.pipeline.recover()
    await buffer.append(Receipt([fresh(client_session="sess_1"), fresh(visitor="hash")]))
    await second.pipeline.drain_once()
    assert {r.session_id for r in second.window.rows} == {r.session_id for r in first.window.rows}
    assert len({r.session_id for r in second.window.rows}) == 2
    second.die()


async def test_a_retried_event_is_counted_as_a_duplicate(drain: Drain):
    event = fresh()
    for _ in range(3):
        await drain.buffer.append(Receipt([event]))
    await drain.pipeline.drain_once()
    await drain.pipeline.flush()
    ledger = await drain.ledger()
    assert (len(drain.stored()), ledger["stored"], ledger["duplicate"], ledger["difference"]) == (1, 1, 2, 0)


def row_of(event: AdmittedEvent) -> Event:
    return Event(
        id=event.id, project="shop", session_id=str(uuid4()), name="x", time=event.time, received_at=event.received_at
    )


async def test_a_retry_from_before_the_start_is_found_in_the_store(buffer: EventBuffer, settings: Settings):
    drain, event = Drain(buffer, settings), admitted(at=now_ms() - 3_600_000)
    drain.store.commit(Lot([row_of(event)]))
    await drain.pipeline.recover()
    await buffer.append(Receipt([event]))
    await drain.pipeline.drain_once()
    assert drain.window.rows == []
    drain.die()


async def test_a_retry_of_what_was_imported_meanwhile_is_found_in_the_store(drain: Drain):
    event = admitted(at=now_ms() - 3_600_000)
    for _ in range(100):
        await drain.pipeline.drain_once()
        await asyncio.sleep(0.001)
    drain.pipeline.expect_stored([row_of(event)])
    drain.store.commit(Lot([row_of(event)]))
    await drain.buffer.append(Receipt([event]))
    await drain.pipeline.drain_once()
    assert drain.window.rows == []


async def test_a_row_that_cannot_be_stored_is_set_aside_and_the_rest_is_kept(drain: Drain):
    good, bad = [fresh() for _ in range(5)], fresh(context={"title": "x"})
    await drain.buffer.append(Receipt([*good[:3], bad, *good[3:]]))
    await drain.pipeline.drain_once()
    next(row for row in drain.pipeline.commits.lot.rows if row.id == bad.id).lat = "not a number"
    await drain.pipeline.flush()
    await drain.pipeline.flush()
    assert sorted(e for e, _ in drain.stored()) == sorted(e.id for e in good)
    ledger = await drain.ledger()
    assert (ledger["stored"], ledger["dead_lettered"], ledger["difference"]) == (5, 1, 0)
    (letter,) = await drain.buffer.letters.all()
    assert "can't take it" in letter.reason
    assert bad.id.encode() in letter.payload


class Poisoned(Devices):
    """Describes every user agent but one."""

    def describe(self, user_agent: str) -> Device:
        if user_agent == "poison":
            raise OverflowError("too much")
        return super().describe(user_agent)


async def test_an_event_that_a_step_cannot_take_is_set_aside_and_played_again_once_it_can(drain: Drain):
    devices = drain.pipeline._enricher.tools.devices
    drain.pipeline._enricher.tools.devices = Poisoned()
    good, bad = [fresh() for _ in range(9)], fresh(user_agent="poison")
    await drain.buffer.append(Receipt([*good[:4], bad, *good[4:]]))
    await drain.pipeline.drain_once()
    await drain.pipeline.flush()
    assert sorted(e for e, _ in drain.stored()) == sorted(e.id for e in good)
    (letter,) = await drain.buffer.letters.all()
    assert (letter.reason, letter.counts) == ("OverflowError: too much", {"shop": 1})
    drain.pipeline._enricher.tools.devices = devices
    assert await drain.buffer.letters.replay([letter.key]) == [letter.key]
    assert (await drain.ledger())["difference"] == 0
    await drain.pipeline.drain_once()
    await drain.pipeline.flush()
    assert len(drain.stored()) == 10
    assert await drain.buffer.letters.all() == []
    ledger = await drain.ledger()
    assert (ledger["stored"], ledger["dead_lettered"], ledger["duplicate"], ledger["difference"]) == (10, 0, 0, 0)


async def test_an_entry_that_ends_whoever_takes_it_is_set_aside_and_the_others_are_stored(
    buffer: EventBuffer, settings: Settings
):
    events, poison = [fresh() for _ in range(3)], fresh(user_agent="poison")
    for event in (events[0], poison, *events[1:]):
        await buffer.append(Receipt([event]))

    class Deadly(Devices):
        def describe(self, user_agent: str) -> Device:
            if user_agent == "poison":
                raise KeyboardInterrupt  # as near to the end of the process as a test can go
            return super().describe(user_agent)

    starts = 0
    while True:
        starts += 1
        assert starts < 12, "the poison is never set aside"
        drain = Drain(buffer, settings)
        drain.pipeline._enricher.tools.devices = Deadly()
        try:
            await drain.pipeline.recover()
            await drain.pipeline.drain_once()
            await drain.pipeline.flush()
            break
        except KeyboardInterrupt:
            drain.die()
    assert sorted(e for e, _ in drain.stored()) == sorted(e.id for e in events)
    (letter,) = await buffer.letters.all()
    assert f"{DELIVERIES_ALLOWED + 1} times" in letter.reason
    ledger = await drain.ledger()
    assert (ledger["stored"], ledger["dead_lettered"], ledger["in_buffer"], ledger["difference"]) == (3, 1, 0, 0)
    drain.die()


async def test_a_store_that_has_failed_for_good_asks_to_be_opened_again(drain: Drain, monkeypatch: pytest.MonkeyPatch):
    def lost(_: Lot) -> None:
        raise StoreLost("gone")

    monkeypatch.setattr(drain.store, "commit", lost)
    await drain.buffer.append(Receipt([fresh() for _ in range(100)]))
    await drain.pipeline.drain_once()
    assert (drain.pipeline.is_lost, drain.pipeline.problem) == (True, "gone")


async def test_a_damaged_entry_is_set_aside_and_the_next_is_taken(drain: Drain, redis_url: str):
    async with Redis.from_url(redis_url) as redis:
        await redis.xadd(STREAM, {"e": b"\xff", "n": msgspec.msgpack.encode({"shop": 2})})
    await drain.buffer.append(Receipt([fresh()]))
    await drain.pipeline.drain_once()
    await drain.pipeline.flush()
    assert len(drain.stored()) == 1
    assert await drain.buffer.read_unacknowledged() == []
    (letter,) = await drain.buffer.letters.all()
    assert (letter.counts, letter.is_replayable, letter.payload) == ({"shop": 2}, False, b"\xff")
    assert await drain.buffer.letters.replay([letter.key]) == []


async def test_while_the_store_is_full_events_wait_in_the_buffer_and_then_all_are_stored(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
):
    def full(_: Lot) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(drain.store, "commit", full)
    await drain.buffer.append(Receipt([fresh() for _ in range(100)]))
    await drain.pipeline.drain_once()
    await drain.buffer.append(Receipt([fresh()]))
    assert await drain.pipeline.drain_once() == 0
    assert drain.pipeline.problem == "disk full"
    monkeypatch.undo()
    await drain.pipeline.drain_once()
    await drain.pipeline.flush()
    assert (len(drain.stored()), drain.pipeline.problem) == (101, None)


async def test_a_store_that_is_full_while_it_looks_for_bad_rows_sets_no_event_aside(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
):
    def refuses(_: Lot) -> None:
        raise duckdb.ConversionException("a row is none")

    def full(_: Sequence[Event]) -> list[tuple[Event, str]]:
        raise StoreUnavailable("memory full")

    monkeypatch.setattr(drain.store, "commit", refuses)
    monkeypatch.setattr(drain.store, "refused", full)
    await drain.buffer.append(Receipt([fresh() for _ in range(100)]))
    await drain.pipeline.drain_once()
    assert (drain.pipeline.problem, await drain.buffer.letters.all()) == ("memory full", [])
    monkeypatch.undo()
    await drain.pipeline.drain_once()
    await drain.pipeline.flush()
    assert (len(drain.stored()), drain.pipeline.problem) == (100, None)


async def test_a_failure_amid_a_batch_loses_nothing(drain: Drain, monkeypatch: pytest.MonkeyPatch):
    await drain.buffer.append(Receipt([fresh(), fresh()]))

    async def broken(*_: object) -> None:
        raise duckdb.InterruptException("now")

    monkeypatch.setattr(drain.pipeline._duplicates, "without", broken)
    with pytest.raises(duckdb.InterruptException):
        await drain.pipeline.drain_once()
    monkeypatch.undo()
    assert await drain.pipeline.drain_once() == 2
    await drain.pipeline.flush()
    assert len(drain.stored()) == 2


async def test_after_a_failure_amid_a_batch_all_of_it_is_taken_though_less_is_read_at_once(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
):
    sent = [[fresh() for _ in range(20)] for _ in range(60)]  # until it has seen some, a drain takes an entry for one
    for events in sent:
        await drain.buffer.append(Receipt(events))
    with monkeypatch.context() as broken:
        broken.setattr(drain.pipeline._duplicates, "without", _fail)
        with pytest.raises(RuntimeError):
            await drain.pipeline.drain_once()
    while await drain.pipeline.drain_once():
        pass
    await drain.pipeline.flush()
    assert len(drain.stored()) == 60 * 20
    assert await drain.buffer.read_unacknowledged() == []


def _fail(*_: object) -> None:
    raise RuntimeError("broken on purpose")


@pytest.fixture
def held_commit(drain: Drain, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, Callable[[], None]]:
    """Let the store's real commit begin, and end only when it is let go."""
    begun, may_go, commit = threading.Event(), threading.Event(), drain.store.commit

    def held(lot: Lot) -> None:
        begun.set()
        assert may_go.wait(10)
        commit(lot)

    monkeypatch.setattr(drain.store, "commit", held)
    return begun, may_go.set


async def test_while_the_store_commits_the_next_events_are_taken_until_there_is_no_room(
    drain: Drain, held_commit: tuple[threading.Event, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
):
    begun, let_go = held_commit
    monkeypatch.setattr("glimpse.pipeline.drain.READ_ENTRIES", 2)
    monkeypatch.setattr("glimpse.pipeline.commits.MOST_ROWS", 500)
    for _ in range(9):
        await drain.buffer.append(Receipt([fresh() for _ in range(100)]))
    async with asyncio.timeout(5):
        assert [await drain.pipeline.drain_once() for _ in range(3)] == [200, 200, 200]
        await wait_until_async(begun.is_set, what="the commit has begun")
    full = asyncio.create_task(drain.pipeline.drain_once())
    await wait_until_async(lambda: len(drain.window.rows) == 800, what="the last that there is room for is taken")
    assert (len(drain.pipeline.commits.lot.rows), full.done()) == (600, False)
    let_go()
    assert await full == 200
    await drain.pipeline.close()
    assert len(drain.stored()) == 900
    assert (await drain.ledger())["difference"] == 0


async def cancelled_in_the_commit(drain: Drain, begun: threading.Event) -> None:
    task = asyncio.create_task(drain.pipeline.drain_once())
    await wait_until_async(begun.is_set, what="the commit has begun")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_drain_cancelled_while_the_store_commits_stores_all_of_it_once(
    drain: Drain, held_commit: tuple[threading.Event, Callable[[], None]]
):
    begun, let_go = held_commit
    events = [fresh() for _ in range(100)]
    await drain.buffer.append(Receipt(events))
    await cancelled_in_the_commit(drain, begun)
    late = fresh()
    await drain.buffer.append(Receipt([late]))
    again = asyncio.create_task(drain.pipeline.drain_once())
    await asyncio.sleep(0)
    let_go()
    assert await again == 1
    await drain.pipeline.flush()
    assert sorted(e for e, _ in drain.stored()) == sorted(e.id for e in [*events, late])
    ledger = await drain.ledger()
    assert (ledger["stored"], ledger["duplicate"], ledger["in_buffer"], ledger["difference"]) == (101, 0, 0, 0)
    assert await drain.buffer.read_unacknowledged() == []


async def test_a_drain_cancelled_while_the_store_commits_and_never_resumed_is_made_up_by_the_next_start(
    drain: Drain, held_commit: tuple[threading.Event, Callable[[], None]]
):
    begun, let_go = held_commit
    await drain.buffer.append(Receipt([fresh() for _ in range(100)]))
    await cancelled_in_the_commit(drain, begun)
    let_go()
    drain.die()
    second = Drain(drain.buffer, drain.settings)
    await second.pipeline.recover()
    ledger = await second.ledger()
    assert (len(second.stored()), ledger["stored"], ledger["duplicate"], ledger["difference"]) == (100, 100, 0, 0)
    assert await second.buffer.read_unacknowledged() == []
    second.die()


async def cut_off(drain: Drain, turns: int) -> None:
    """Begin a turn of the drain, and cancel it after so many turns of the loop."""
    task = asyncio.create_task(drain.pipeline.drain_once())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_cancelled_at_whatever_moment_a_drain_neither_loses_nor_doubles(buffer: EventBuffer, settings: Settings):
    drain = Drain(buffer, msgspec.structs.replace(settings, flush_rows=1))
    await drain.pipeline.recover()
    sent: list[str] = []
    for turns in range(80):
        events = [fresh(), fresh()]
        await buffer.append(Receipt(events))
        sent += [event.id for event in events]
        await cut_off(drain, turns)
    await drain.pipeline.close()
    assert sorted(e for e, _ in drain.stored()) == sorted(sent)
    assert sorted(row.id for row in drain.window.rows) == sorted(sent)
    ledger = await drain.ledger()
    assert (ledger["stored"], ledger["duplicate"], ledger["in_buffer"], ledger["difference"]) == (160, 0, 0, 0)
    drain.die()


async def test_cancelled_at_whatever_moment_a_drain_that_reads_ahead_neither_loses_nor_doubles(
    buffer: EventBuffer, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("glimpse.pipeline.drain.EVENTS_BESIDE_REQUESTS", 2)
    drain = Drain(buffer, msgspec.structs.replace(settings, flush_rows=1))
    await drain.pipeline.recover()
    events = [fresh() for _ in range(200)]
    for event in events:
        await buffer.append(Receipt([event]))
    for turns in range(80):
        await cut_off(drain, turns)
    await drain.pipeline.close()
    assert sorted(e for e, _ in drain.stored()) == sorted(event.id for event in events)
    assert [row.id for row in drain.window.rows] == [event.id for event in events]
    ledger = await drain.ledger()
    assert (ledger["stored"], ledger["duplicate"], ledger["in_buffer"], ledger["difference"]) == (200, 0, 0, 0)
    assert await buffer.read_unacknowledged() == []
    drain.die()


async def test_a_batch_that_fails_while_the_next_one_is_read_comes_before_it_again(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("glimpse.pipeline.drain.EVENTS_BESIDE_REQUESTS", 2)
    events = [fresh() for _ in range(9)]
    for event in events:
        await drain.buffer.append(Receipt([event]))
    assert await drain.pipeline.drain_once() == 2
    with monkeypatch.context() as broken:
        broken.setattr(drain.pipeline._enricher, "enrich", _cancel)
        with pytest.raises(asyncio.CancelledError):
            await drain.pipeline.drain_once()
    while await drain.pipeline.drain_once():
        pass
    assert [row.id for row in drain.window.rows] == [event.id for event in events]


async def test_what_was_read_ahead_is_stored_before_others_take_over(drain: Drain, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("glimpse.pipeline.drain.EVENTS_BESIDE_REQUESTS", 2)
    for event in (events := [fresh() for _ in range(9)]):
        await drain.buffer.append(Receipt([event]))
    assert await drain.pipeline.drain_once() == 2
    assert await drain.pipeline.hand_over()
    assert await drain.buffer.read_unacknowledged() == []
    waiting = await drain.buffer.read(100)
    assert {e for e, _ in drain.stored()} | {e.id for entry in waiting for e in entry.packed} == {e.id for e in events}


def _cancel(*_: object) -> None:
    raise asyncio.CancelledError


async def test_the_ledger_balances_while_events_are_at_every_stage(drain: Drain):
    await drain.buffer.append(Receipt([fresh() for _ in range(100)], {("shop", "name"): 2}, {("shop", "bot"): 3}))
    await drain.pipeline.drain_once()
    await drain.buffer.append(Receipt([fresh()]))
    await drain.pipeline.drain_once()
    await drain.buffer.append(Receipt([fresh()]))
    ledger = await drain.ledger()
    assert (ledger["received"], ledger["accepted"], ledger["stored"], ledger["in_buffer"]) == (107, 102, 100, 2)
    assert ledger["difference"] == 0


async def test_killed_before_a_merge_is_stored_the_next_start_still_makes_one_session_without_client_ids(
    buffer: EventBuffer, settings: Settings
):
    first, now = Drain(buffer, settings), now_ms()
    await first.pipeline.recover()
    await buffer.append(Receipt([admitted(at=now - 500_000, visitor="hash"), admitted(at=now, visitor="hash")]))
    await first.pipeline.drain_once()
    await first.pipeline.flush()
    assert len({session_id for _, session_id in first.stored()}) == 2
    between = msgspec.structs.replace(admitted(at=now - 250_000, visitor="hash"), received_at=now)
    await buffer.append(Receipt([between]))
    await first.pipeline.drain_once()  # the two are one in the window, and mirrored so
    assert len({row.session_id for row in first.window.rows}) == 1
    first.die()
    second = Drain(buffer, settings)
    await second.pipeline.recover()
    await second.pipeline.flush()
    assert len({session_id for _, session_id in second.stored()}) == 1
    assert len(second.stored()) == 3
    second.die()


async def test_what_enriching_took_is_counted_from_where_a_drain_begins(drain: Drain):
    await drain.buffer.append(Receipt([fresh() for _ in range(50)]))
    await drain.pipeline.drain_once()
    enricher = drain.pipeline._enricher
    after = Pipeline(
        buffer=drain.buffer,
        store=drain.store,
        sessions=SessionTracker(drain.settings.session_timeout_s),
        enricher=enricher,
        window=drain.window,
        settings=drain.settings,
    )
    assert sum(drain.pipeline.enrich_seconds.values()) == sum(enricher.seconds.values()) > 0
    assert sum(after.enrich_seconds.values()) == 0
    after.commits._thread.shutdown()


async def test_the_ledgers_balance_and_add_up_in_each_look_while_events_come(drain: Drain):
    is_over = False

    async def visitors() -> None:
        number = 0
        while not is_over:
            number += 1
            refused = {("shop", "name"): number % 2}
            await drain.buffer.append(Receipt([fresh(project=f"site-{number % 3}")], refused, {}))

    async def drains() -> None:
        while not is_over:
            await drain.pipeline.drain_once()

    under_way = [asyncio.create_task(work()) for work in (visitors, visitors, drains)]
    queries = LocalQueries(drain.store, drain.buffer)
    for _ in range(40):
        ledgers = await queries.ledgers()
        whole = ledgers.pop("*")
        assert [account["difference"] for account in (whole, *ledgers.values())] == [0] * (len(ledgers) + 1)
        for name in ("received", "accepted", "stored", "in_buffer"):
            assert sum(account[name] for account in ledgers.values()) == whole[name]
    is_over = True
    await asyncio.gather(*under_way)
    queries.close()
    assert whole["stored"] > 0


@pytest.mark.parametrize("is_committed_between", [True, False], ids=["stored before", "in one lot"])
async def test_a_late_event_between_two_sessions_makes_one_of_them(drain: Drain, *, is_committed_between: bool):
    now = now_ms()
    for ago_s in (500, 100):
        await drain.buffer.append(Receipt([admitted(at=now - ago_s * 1000, received_at=now - ago_s * 1000)]))
        await drain.pipeline.drain_once()
    assert len({row.session_id for row in drain.window.rows}) == 2
    if is_committed_between:
        await drain.pipeline.flush()
        assert len({session for _, session in drain.stored()}) == 2
    await drain.buffer.append(Receipt([admitted(at=now - 290_000, received_at=now)]))
    await drain.pipeline.drain_once()
    await drain.pipeline.flush()
    (session_id,) = {session for _, session in drain.stored()}
    assert {row.session_id for row in drain.window.rows} == {session_id}
    sessions = drain.store.reader().execute("SELECT id::VARCHAR, pages, duration_s FROM sessions").fetchall()
    assert sessions == [(session_id, 3, 400.0)]
    async with drain.buffer.redis as redis:
        mirrored = [key.decode() for key in await redis.keys("session:*")]
        assert f"session:{{shop}}:{session_id}" in mirrored
        assert all([0 < await redis.ttl(key) <= 300 for key in mirrored])  # the other one runs out
        assert await redis.zrange("active_sessions:{shop}", 0, -1) in ([session_id.encode()], [])
