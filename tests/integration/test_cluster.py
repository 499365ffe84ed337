"""A Redis Cluster holds the buffer: everything works there, and a node that dies costs no event."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from records import admitted
from redis_cluster import Cluster, running_cluster
from waiting import wait_until_async

from glimpse.buffer import EventBuffer, Leases, Letter, Receipt, shard_of
from glimpse.clock import steady_now_ms
from glimpse.collect.limits import Limits
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.errors import BufferUnavailable
from glimpse.events import AdmittedEvent, Session
from glimpse.geo.places import open_places
from glimpse.live import Window
from glimpse.pipeline import Pipeline
from glimpse.projects import Projects
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries

VISITORS = 30


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def settings(cluster: Cluster, tmp_path: Path) -> Settings:
    return Settings(redis_url=cluster.url, data_dir=tmp_path / "data")


@pytest.fixture
async def buffer(cluster: Cluster, settings: Settings) -> AsyncIterator[EventBuffer]:
    opened = await EventBuffer.open(cluster.url, settings)
    yield opened
    await opened.close()


def event_for(buffer: EventBuffer, visitor: str) -> AdmittedEvent:
    shard = shard_of(buffer.shards.count, "shop", visitor)
    return admitted(at=steady_now_ms(), id=str(uuid4()), client_session=visitor, shard=shard)


async def test_salts_limits_projects_letters_live_rows_and_sessions_work_on_a_cluster(
    cluster: Cluster, buffer: EventBuffer, settings: Settings
):
    today, _ = await buffer.salts(steady_now_ms())
    assert len(today) == 32
    projects = Projects.on(buffer.redis, settings)
    await projects.add("shop", {})
    assert [project.id for project in projects.registered()] == ["shop"]
    limits = Limits.at(cluster.url, buffer.redis, settings, projects)
    limits.lease(limits.try_take({"shop": 500, "other": 500}, "192.0.2.0/24"), lambda _: None)
    await limits.leases.idle()
    assert (limits.leases.taken, limits.leases.let_through) == (3, 0)
    letter = Letter.of_event(event_for(buffer, "of a letter"), "too much")
    await buffer.dead_letter([letter])
    assert [found.key for found in await buffer.letters.all()] == [letter.key]
    await buffer.letters.replay([letter.key])
    assert await buffer.letters.all() == []
    await buffer.announce_follower()
    await buffer.publish([])
    assert await buffer.read_live("0") == ([], "0")
    sessions = [Session(project=f"p{n}", id="s", started_at=1, last_seen_at=2, visitor=f"v{n}") for n in range(6)]
    await buffer.mirror(sessions, 300, steady_now_ms())
    assert await buffer.visitors_of(sessions) == [f"v{n}" for n in range(6)]


class Visitors:
    """Clients that send again what they heard no success of, as ours do."""

    def __init__(self, buffer: EventBuffer) -> None:
        self._buffer = buffer
        self.acknowledged: list[str] = []
        self.refused = 0
        self.is_over = False

    async def visit(self, name: str) -> None:
        """Send one event after the other, each until it is taken."""
        while not self.is_over:
            event = event_for(self._buffer, name)
            while not await self._is_taken(event):
                self.refused += 1
                await asyncio.sleep(0.05)
            self.acknowledged.append(event.id)
            await asyncio.sleep(0.02)

    async def _is_taken(self, event: AdmittedEvent) -> bool:
        try:
            await self._buffer.append(Receipt([event]))
        except BufferUnavailable:
            return False
        return True


async def test_a_node_that_is_killed_while_events_flow_and_comes_back_loses_and_doubles_nothing(
    cluster: Cluster, buffer: EventBuffer, settings: Settings
):
    store, leases = DuckStore.open(settings.data_dir), Leases(buffer.redis, buffer.shards)
    drain = Pipeline(
        buffer=buffer,
        store=store,
        sessions=SessionTracker(),
        enricher=Enricher(Tools(places=open_places(settings), devices=Devices())),
        window=Window(minutes=30, max_events=100_000, now_ms=steady_now_ms),
        settings=settings,
        shards=await leases.look(),
        fence=leases.confirm,
    )
    await drain.recover()
    before = (await buffer.counts("shop"))["accepted"].get("", 0)
    visitors = Visitors(buffer)

    async def work() -> None:
        while True:
            with contextlib.suppress(BufferUnavailable):
                await leases.look()
            for _ in range(20):
                with contextlib.suppress(BufferUnavailable):
                    await drain.drain_once()
                await asyncio.sleep(0.02)

    working = asyncio.create_task(work())
    visiting = [asyncio.create_task(visitors.visit(f"visitor {number}")) for number in range(VISITORS)]
    await wait_until_async(lambda: drain.drained > 100, what="events flow", timeout_s=20)
    await asyncio.to_thread(cluster.kill_node, 1)
    await wait_until_async(lambda: visitors.refused > 20, what="what its shards would hold is refused", timeout_s=20)
    seen = len(visitors.acknowledged)
    await wait_until_async(lambda: len(visitors.acknowledged) > seen + 20, what="others go on", timeout_s=20)
    await asyncio.to_thread(cluster.start_node, 1)
    refused = len(visitors.acknowledged)
    await wait_until_async(
        lambda: len(visitors.acknowledged) > refused + 10 * VISITORS, what="all flow again", timeout_s=30
    )
    visitors.is_over = True
    await asyncio.gather(*visiting)
    working.cancel()
    await asyncio.wait([working])
    await leases.look()
    await drain.close()

    stored = [name for (name,) in store.reader().execute("SELECT id::VARCHAR FROM events").fetchall()]
    assert len(stored) == len(set(stored))
    assert set(visitors.acknowledged) - set(stored) == set()
    queries = LocalQueries(store, buffer)
    ledger = await queries.ledger("shop")
    queries.close()
    store.close()
    assert (ledger["difference"], ledger["in_buffer"], ledger["accepted"] > before) == (0, 0, True)
