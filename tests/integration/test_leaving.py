"""What takes for ever is ended: when who asked has left, and after a time. Nobody else waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pytest
from records import NOON, admitted, event_of
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from waiting import wait_until_async

from glimpse.buffer import EventBuffer
from glimpse.clock import steady_now_ms
from glimpse.collect.core import Edge
from glimpse.collect.routes import Parts, routes
from glimpse.live import Window
from glimpse.sessions import account_of
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries, Lot, Queries, QuerySocket, RemoteQueries
from glimpse.transfer import LocalOutlet, Outlet, OwnerSocket, RemoteOutlet

# In the place of the table of events, one of so many rows that no question about them ever ends.
_ENDLESS = """
    ALTER TABLE events RENAME TO few;
    CREATE VIEW events AS
    SELECT few.* REPLACE (md5((one.range + other.range)::VARCHAR) AS page)
    FROM few, range(10_000_000) one, range(10_000_000) other
"""


ENDLESS = urlencode({"project": "shop", "since": 0, "where": 'page = "nowhere"'})
PAGE_LIMIT_S = 3.0


class Site:
    """A store that never comes to an end, the ways to it from another process, and a server."""

    def __init__(self, port: int, is_busy: Callable[[], bool]) -> None:
        self.port, self.is_busy = port, is_busy

    async def ask(self, path: str) -> asyncio.StreamWriter:
        """Ask what takes for ever; return when the store works on it."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path}{ENDLESS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await wait_until_async(self.is_busy, what="the store works on it")
        return writer


@pytest.fixture(params=["in the owner", "in another process's place"])
async def site(
    request: pytest.FixtureRequest, buffer: EventBuffer, settings: Settings, tmp_path: Path
) -> AsyncIterator[Site]:
    store = DuckStore.open(tmp_path)
    rows = [event_of(admitted(at=NOON), session_id=str(UUID(int=1)))]
    store.commit(Lot(rows, account_of(rows)))
    store._connection.execute(_ENDLESS)
    local, outlet = LocalQueries(store, buffer, time_limit_s=3600), LocalOutlet(store, page_limit_s=PAGE_LIMIT_S)
    sockets = QuerySocket(local, tmp_path / "q.sock"), OwnerSocket(outlet, tmp_path / "t.sock")
    for one in sockets:
        await one.start()
    is_owner = request.param == "in the owner"
    queries: Queries = local if is_owner else RemoteQueries(tmp_path / "q.sock")
    given: Outlet = outlet if is_owner else RemoteOutlet(tmp_path / "t.sock")
    parts = Parts(
        settings=settings,
        edge=Edge(buffer, settings),
        buffer=buffer,
        window=Window(minutes=30, max_events=10, now_ms=steady_now_ms),
        queries=queries,
        outlet=given,
        health=dict,
    )
    server = HTTPServer(Application([*routes(parts)]))
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])
    yield Site(listener.getsockname()[1], lambda: bool(local._readers._under_way or outlet._open))
    server.stop()
    await server.close_all_connections()
    for one in sockets:
        await one.stop()
    outlet.close()
    local.close()
    store.close()


@pytest.mark.parametrize("asked", ["totals?", "events?", "events?limit=all&", "sessions?"])
async def test_who_leaves_before_the_answer_has_nothing_go_on_for_them(site: Site, asked: str):
    writer = await site.ask(f"/api/v1/{asked}")
    writer.close()
    await wait_until_async(lambda: not site.is_busy(), timeout_s=15, what="the store works for nobody")


async def test_a_page_that_takes_too_long_is_refused_and_waits_for_no_export(site: Site):
    writer = await site.ask("/api/v1/events?limit=all&")
    reader, other = await asyncio.open_connection("127.0.0.1", site.port)
    few = urlencode({"project": "shop", "since": NOON, "until": NOON})
    other.write(f"GET /api/v1/events?{few} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert b" 200 OK" in await reader.readline()
    for path in ("/api/v1/events?", "/api/v1/sessions?", f"/api/v1/sessions/{UUID(int=1)}?"):
        reader, slow = await asyncio.open_connection("127.0.0.1", site.port)
        asked = "project=shop" if "/sessions/" in path else ENDLESS
        slow.write(f"GET {path}{asked} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        assert b"HTTP/1.1 400" in answer
        assert b"the question took longer than 3 s" in answer
        slow.close()
    writer.close()
    other.close()
