"""Several drains on one buffer: each shard has one at a time, and what one leaves another takes, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest
from records import admitted
from redis.asyncio import Redis
from waiting import wait_until

from glimpse.buffer import DEAD, EventBuffer, Leases, Letter, Receipt, leases, owners, shard_of
from glimpse.buffer.records import lease_of, stream_of
from glimpse.clock import steady_now_ms
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.errors import BufferUnavailable, LeaseLost
from glimpse.events import AdmittedEvent
from glimpse.geo.places import open_places
from glimpse.live import Window
from glimpse.pipeline import Pipeline
from glimpse.server.composition import Glimpse
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries

SHARDS = 4


class Worker:
    """One process' part, in this one: leases and a drain. What is stored, it shares with the others."""

    def __init__(self, buffer: EventBuffer, store: DuckStore, settings: Settings, place: str = "") -> None:
        self.buffer, self.store, self.settings = buffer, store, settings
        self.leases = Leases(buffer.redis, buffer.shards, place)
        self.pipeline: Pipeline | None = None

    async def look(self) -> tuple[int, ...]:
        """Do what a server does each 0.75 s."""
        due = await self.leases.look()
        if self.pipeline and due != self.pipeline.shards:
            assert await self.pipeline.hand_over()
            await self.leases.give_up(tuple(shard for shard in self.pipeline.shards if shard not in due))
        if self.pipeline is None or due != self.pipeline.shards:
            self.pipeline = Pipeline(
                buffer=self.buffer,
                store=self.store,
                sessions=SessionTracker(self.settings.session_timeout_s),
                enricher=Enricher(Tools(places=open_places(self.settings), devices=Devices())),
                window=Window(minutes=30, max_events=1000, now_ms=steady_now_ms),
                settings=self.settings,
                shards=due,
                fence=self.leases.confirm,
            )
            await self.pipeline.recover()
        return due

    @property
    def drain(self) -> Pipeline:
        """What it drains with now."""
        assert self.pipeline
        return self.pipeline


@pytest.fixture(autouse=True)
def leases_end_when_told(monkeypatch: pytest.MonkeyPatch):
    """None runs out because the machine is busy; see `let_leases_end`."""
    monkeypatch.setattr(leases, "LEASE_S", 600.0)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return Settings(data_dir=settings.data_dir, shards=SHARDS, flush_rows=1_000_000)


@pytest.fixture
def store(settings: Settings) -> DuckStore:
    return DuckStore.open(settings.data_dir)


@pytest.fixture
async def workers(redis_url: str, store: DuckStore, settings: Settings) -> AsyncIterator[tuple[Worker, Worker, Worker]]:
    buffers = [await EventBuffer.open(redis_url, settings) for _ in range(3)]
    first, second, third = (Worker(buffer, store, settings) for buffer in buffers)
    yield first, second, third
    for worker in (first, second, third):
        if worker.pipeline:
            worker.pipeline.commits._thread.shutdown()
        await worker.buffer.close()
    store.close()


def of_session(session: str) -> AdmittedEvent:
    return admitted(at=steady_now_ms(), client_session=session, shard=shard_of(SHARDS, "shop", session))


async def sent(worker: Worker, sessions: int, each: int = 3) -> list[str]:
    """Let a request come in for each of some visitors, again and again; return the events' ids."""
    names = [f"visitor {number}" for number in range(sessions)]
    ids: list[str] = []
    for _ in range(each):
        for name in names:
            event = of_session(name)
            await worker.buffer.append(Receipt([event]))
            ids.append(event.id)
    return ids


async def let_leases_end(buffer: EventBuffer) -> None:
    """Let so much time pass, by the clock of Redis, that no lease is left and nobody is known to live."""
    for shard in range(SHARDS):
        await buffer.redis.hset(lease_of(shard), "until", 0)
    await buffer.redis.delete("glimpse:workers")


def stored(store: DuckStore) -> list[str]:
    return sorted(name for (name,) in store.reader().execute("SELECT id::VARCHAR FROM events").fetchall())


async def books(worker: Worker) -> tuple[int, int, int, int]:
    queries = LocalQueries(worker.store, worker.buffer)
    try:
        ledger = await queries.ledger("shop")
    finally:
        queries.close()
    return ledger["stored"], ledger["duplicate"], ledger["in_buffer"], ledger["difference"]


async def test_workers_share_the_shards_evenly_as_they_come_and_go(workers: tuple[Worker, Worker, Worker]):
    first, second, third = workers
    assert await first.look() == (0, 1, 2, 3)
    assert await second.look() == ()  # all is taken, until the first one sees that it is not alone
    assert len(await first.look()) == 2
    shares = [set(await worker.look()) for worker in (first, second)]
    assert [len(share) for share in shares] == [2, 2]
    assert shares[0] | shares[1] == {0, 1, 2, 3}
    for _ in range(2):
        shares = [set(await worker.look()) for worker in (third, first, second)]
    shares = [set(await worker.look()) for worker in workers]
    assert sorted(len(share) for share in shares) == [1, 1, 2]
    assert set.union(*shares) == {0, 1, 2, 3}
    for worker in (second, third):
        assert await worker.drain.hand_over()
        await worker.leases.give_up()
    assert await first.look() == (0, 1, 2, 3)


async def test_two_drains_store_everything_once_and_each_session_as_one(workers: tuple[Worker, Worker, Worker]):
    first, second, _ = workers
    for worker in (first, second, first, second):
        await worker.look()
    ids = await sent(first, sessions=20)
    assert await first.drain.drain_once() > 0
    assert await second.drain.drain_once() > 0
    assert (await books(first))[2:] == (60, 0)
    await first.drain.flush()  # one after the other: this store has one writer
    await second.drain.flush()
    assert stored(first.store) == sorted(ids)
    assert await books(first) == (60, 0, 0, 0)
    sessions = first.store.reader().execute("SELECT count(*), min(events), max(events) FROM sessions").fetchall()
    assert sessions == [(20, 3, 3)]


async def test_who_has_lost_a_lease_stores_and_acknowledges_nothing_more_and_its_heir_does_all_of_it_once(
    workers: tuple[Worker, Worker, Worker],
):
    dead, heir, _ = workers
    await dead.look()
    ids = await sent(dead, sessions=10)
    await dead.drain.drain_once()  # read, and not stored
    await let_leases_end(heir.buffer)
    assert await heir.look() == (0, 1, 2, 3)
    assert stored(heir.store) == sorted(ids)
    dead.leases._held = dict.fromkeys(range(SHARDS), 0.0)  # it stood still for longer than a lease lasts
    with pytest.raises(LeaseLost):
        await dead.drain.flush()
    with pytest.raises(LeaseLost):
        await dead.drain.drain_once()
    with pytest.raises(LeaseLost):
        await dead.buffer.acknowledge(["1-1"], 0)
    late = of_session("visitor 1")
    await dead.buffer.append(Receipt([late]))  # its edge still takes events
    await heir.drain.drain_once()
    await heir.drain.flush()
    assert stored(heir.store) == sorted([*ids, late.id])
    assert await books(heir) == (31, 0, 0, 0)


async def test_a_lease_that_ran_out_and_that_nobody_took_is_still_ones_own(workers: tuple[Worker, Worker, Worker]):
    worker, other, _ = workers
    await worker.look()
    ids = await sent(worker, sessions=2)
    await worker.drain.drain_once()
    await let_leases_end(worker.buffer)
    worker.leases._held = dict.fromkeys(range(SHARDS), 0.0)
    await worker.drain.flush()
    assert stored(worker.store) == sorted(ids)
    assert set((await owners(other.buffer.redis, other.buffer.shards)).values()) == {worker.leases.token[:40]}


async def test_who_drains_into_a_place_of_its_own_leaves_others_nothing_and_follows_its_dead_at_once(
    workers: tuple[Worker, Worker, Worker],
):
    here, elsewhere, restarted = (
        Leases(worker.buffer.redis, worker.buffer.shards, place)
        for worker, place in zip(workers, ("here", "elsewhere", "here"), strict=True)
    )
    assert await here.look() == (0, 1, 2, 3)
    with pytest.raises(BufferUnavailable, match="a store of its own"):
        await elsewhere.look()
    assert await restarted.look() == (0, 1, 2, 3)
    with pytest.raises(LeaseLost):
        await here.look()


async def test_what_waits_in_shards_of_an_earlier_number_is_drained_and_counted(
    workers: tuple[Worker, Worker, Worker], redis_url: str, store: DuckStore, settings: Settings
):
    ids = await sent(workers[0], sessions=10)
    buffer = await EventBuffer.open(redis_url, Settings(data_dir=settings.data_dir))
    alone = Worker(buffer, store, settings)
    assert buffer.shards.count == 1
    assert await alone.look() == (0, 1, 2, 3)
    assert await books(alone) == (0, 0, 30, 0)
    await alone.drain.drain_once()
    assert await alone.drain.hand_over()
    assert stored(store) == sorted(ids)
    assert await books(alone) == (30, 0, 0, 0)
    await buffer.close()


async def test_what_was_given_to_a_consumer_of_another_name_is_taken_over(workers: tuple[Worker, Worker, Worker]):
    worker = workers[0]
    ids = await sent(worker, sessions=1)
    shard = shard_of(SHARDS, "shop", "visitor 0")
    redis: Redis = worker.buffer.redis
    await redis.xreadgroup("glimpse", "somebody", {stream_of(shard): ">"}, count=10)
    await worker.look()
    assert stored(worker.store) == sorted(ids)
    assert await books(worker) == (3, 0, 0, 0)


async def test_a_letter_is_played_again_once_though_the_first_try_was_cut_off(
    workers: tuple[Worker, Worker, Worker],
):
    worker = workers[0]
    await worker.look()
    event = admitted(at=steady_now_ms(), id=str(uuid4()), shard=3)
    letter = Letter.of_event(event, "too much")
    await worker.buffer.dead_letter([letter])
    found = await worker.buffer.redis.hget(DEAD, letter.key)
    assert await worker.buffer.letters.replay([letter.key]) == [letter.key]
    await worker.buffer.redis.hset(DEAD, letter.key, found)  # as if it had ended before the letter was removed
    assert await worker.buffer.letters.replay([letter.key]) == [letter.key]
    await worker.drain.drain_once()
    await worker.drain.flush()
    assert stored(worker.store) == [event.id]
    queries = LocalQueries(worker.store, worker.buffer)
    ledger = await queries.ledger("shop")
    queries.close()
    assert (ledger["stored"], ledger["duplicate"], ledger["dead_lettered"]) == (1, 0, -1)  # it was set aside by hand


async def test_a_change_of_shares_that_broke_off_is_made_good_though_the_share_is_the_old_one_again(
    settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    glimpse = Glimpse(msgspec.structs.replace(settings, redis_url=redis_url))
    await glimpse.start()
    before = glimpse.pipeline
    assert before
    assert glimpse.leases

    async def fail(_: Pipeline) -> None:
        raise BufferUnavailable("Redis is away")

    with monkeypatch.context() as patch:
        patch.setattr(before, "shards", (0,))  # so that its share has changed
        patch.setattr(Pipeline, "recover", fail)
        with pytest.raises(BufferUnavailable):
            await glimpse.keep_leases()
    assert glimpse.pipeline is before
    await glimpse.buffer.append(Receipt([of_session("a visitor")]))
    await glimpse.keep_leases()
    assert glimpse.pipeline is not before
    await asyncio.to_thread(wait_until, lambda: glimpse.window.numbers("shop").active == 1, what="the event is drained")
    await glimpse.stop()
