"""A process that follows shows the numbers of the one that drains, from its first second on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from waiting import wait_until_async

from glimpse.buffer import EventBuffer
from glimpse.clock import steady_now_ms
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.events import Event, Session
from glimpse.geo.places import open_places
from glimpse.live import Window
from glimpse.pipeline import Pipeline
from glimpse.server.follower import Follower
from glimpse.sessions import SessionTracker, account_of
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries, Lot, QuerySocket, RemoteQueries

OPEN = 25_000
_numbers = count(1)


def visit(number: int, *times: int, project: str = "shop") -> list[Event]:
    return [
        Event(
            id=str(UUID(int=next(_numbers))),
            project=project,
            session_id=str(UUID(int=number)),
            name="page_view",
            time=time,
            received_at=time,
            page=f"/{number % 7}",
            source=f"s{number % 3}",
        )
        for time in times
    ]


def as_many_as_are_open(now: int) -> tuple[list[Event], list[Session]]:
    """Return what a busy site has: sessions of the last minutes, one that began hours ago and goes on, and a layer."""
    rows = [row for n in range(1, OPEN + 1) for row in visit(n, now - n * 60)]
    rows += visit(OPEN + 1, now - 3 * 3_600_000, now - 60_000)
    rows += visit(OPEN + 2, now - 90_000, now - 30_000, project="shop:bots")
    return rows, account_of(rows)


@pytest.fixture
async def owned(settings: Settings) -> AsyncIterator[DuckStore]:
    store = DuckStore.open(settings.data_dir)
    store.commit(Lot(*as_many_as_are_open(steady_now_ms())))
    yield store
    store.close()


def shown(window: Window, project: str, where: str | None) -> dict[str, Any]:
    while not window.fill(project, where):
        pass
    numbers = window.numbers(project, where).as_json()
    return {name: value for name, value in numbers.items() if name not in ("as_of", "covers_since")}


async def test_a_followers_numbers_are_the_owners_with_25_000_open_sessions(
    owned: DuckStore, buffer: EventBuffer, settings: Settings, tmp_path: Path
):
    frozen = steady_now_ms()
    ours, theirs = (Window(minutes=30, max_events=200_000, now_ms=lambda: frozen) for _ in range(2))
    pipeline = Pipeline(
        buffer=buffer,
        store=owned,
        sessions=SessionTracker(settings.session_timeout_s),
        enricher=Enricher(Tools(places=open_places(settings), devices=Devices())),
        window=theirs,
        settings=settings,
    )
    await pipeline.recover()
    local = LocalQueries(owned, buffer)
    socket = QuerySocket(local, tmp_path / "q.sock")
    await socket.start()
    follower = Follower(buffer, ours, lambda: RemoteQueries(tmp_path / "q.sock"), settings)
    await follower.follow()
    await wait_until_async(lambda: len(follower._catch_up_at) == 1, what="it has caught up")
    for project, where, sessions in (
        ("shop", None, OPEN + 1),
        ("shop", "session.pages >= 1", OPEN + 1),
        ("shop", "session.pages > 1 and session.duration_s > 3600", 1),
        ("*", 'session.source = "s1"', None),
        ("shop:bots", "session.pages = 2", 1),
    ):
        numbers = shown(ours, project, where)
        assert numbers == shown(theirs, project, where)
        assert sessions in (None, numbers["sessions"])
    await socket.stop()
    local.close()
    pipeline.commits._thread.shutdown()
