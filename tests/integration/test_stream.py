from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import websocket_connect
from waiting import wait_until_async

from glimpse.buffer import EventBuffer
from glimpse.clock import steady_now_ms
from glimpse.collect import segment_watch, stream
from glimpse.collect.core import Edge
from glimpse.collect.routes import Parts, routes
from glimpse.events import Event
from glimpse.filters import field
from glimpse.live import Window
from glimpse.live.open_filters import MOST_FILTERS
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries, RemoteQueries
from glimpse.transfer import LocalOutlet

_numbers = count(1)


def an_event(name: str = "page_view", **facts: Any) -> Event:
    now = steady_now_ms()
    given = {"project": "shop", "id": str(UUID(int=next(_numbers))), "session_id": "s", "page": "/"}
    return Event(**(given | {"name": name, "time": now, "received_at": now} | facts))


class Site:
    """A server whose window the test fills."""

    def __init__(self, window: Window, parts: Parts, port: int) -> None:
        self.window, self.parts, self.port = window, parts, port
        self.open: list[Events] = []

    def path(self, **asked: str) -> str:
        return f"/api/v1/stream?{urlencode({'project': 'shop'} | asked)}"

    async def read(self, headers: str = "", **asked: str) -> Events:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 26)
        writer.write(f"GET {self.path(**asked)} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        found = Events(reader, writer)
        self.open.append(found)
        found.head = (await reader.readuntil(b"\r\n\r\n")).decode()
        return found

    async def connect(self, **asked: str) -> Any:
        return await websocket_connect(f"ws://127.0.0.1:{self.port}{self.path(**asked)}")


class Events:
    """Server-sent events, as a client without a library reads them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.head = ""
        self._text = b""

    async def next(self, kind: str = "event") -> dict[str, Any]:
        """Return the next of a kind, with its id; others are passed over."""
        while True:
            while b"\n\n" not in self._text:
                size = int(await self._reader.readline(), 16)
                assert size, f"the stream ended before a {kind}"
                self._text += (await self._reader.readexactly(size + 2))[:-2]
            message, _, self._text = self._text.partition(b"\n\n")
            lines = dict(line.split(": ", 1) for line in message.decode().split("\n"))
            if lines.get("event") == kind or (kind == "heartbeat" and "" in lines):
                return {"id": lines.get("id"), "data": json.loads(lines.get("data", "{}"))}


@pytest.fixture
async def site(buffer: EventBuffer, settings: Settings, tmp_path: Path) -> AsyncIterator[Site]:
    store = DuckStore.open(tmp_path / "store")
    queries = LocalQueries(store, buffer)
    window = Window(minutes=30, max_events=100_000, now_ms=steady_now_ms)
    edge = Edge(buffer, settings)
    parts = Parts(
        settings=settings,
        edge=edge,
        buffer=buffer,
        window=window,
        queries=queries,
        outlet=LocalOutlet(store),
        health=dict,
    )
    server = HTTPServer(Application([*routes(parts)]))
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])
    site = Site(window, parts, listener.getsockname()[1])
    yield site
    for events in site.open:
        events.writer.close()
        await events.writer.wait_closed()
    server.stop()
    await server.close_all_connections()
    await wait_until_async(lambda: not readers_of(parts), what="nobody is told any more")
    queries.close()
    store.close()


def readers_of(parts: Parts) -> int:
    return sum(len(feed.readers) for feed in parts.streams._feeds.values())


async def test_events_and_numbers_are_told_as_they_come(site: Site):
    events = await site.read()
    assert "text/event-stream" in events.head
    assert (await events.next("numbers"))["data"]["events"] == 0
    event = an_event("signup", properties={"plan": "pro"})
    site.window.append([event, an_event("heartbeat"), an_event(project="blog")])
    told = await events.next()
    assert (told["id"], told["data"]["name"], told["data"]["properties"]) == (event.id, "signup", {"plan": "pro"})
    numbers = await events.next("numbers")
    assert (numbers["data"]["events"], numbers["data"]["project"]) == (1, "shop")


async def test_only_what_a_filter_keeps_is_told(site: Site):
    events = await site.read(where='country = "DE" and name = "buy"')
    await events.next("numbers")
    site.window.append([an_event("buy"), an_event("view", country="DE"), an_event("buy", country="DE")])
    assert (await events.next())["data"]["country"] == "DE"
    assert (await events.next("numbers"))["data"]["events"] == 1


async def test_a_websocket_is_told_the_same(site: Site):
    socket = await site.connect(where='name = "buy"')
    assert json.loads(await socket.read_message())["type"] == "numbers"
    event = an_event("buy")
    site.window.append([an_event(), event])
    told = json.loads(await socket.read_message())
    assert (told["type"], told["id"], told["data"]["name"]) == ("event", event.id, "buy")
    socket.close()


@pytest.mark.parametrize("way", ["header", "parameter"])
async def test_a_reader_goes_on_behind_the_last_event_that_it_had(site: Site, way: str):
    missed = [an_event(name, country="DE") for name in ("first", "second", "third")]
    site.window.append([*missed, an_event("else")])
    asked = {"last_id": missed[0].id} if way == "parameter" else {}
    headers = f"Last-Event-ID: {missed[0].id}\r\n" if way == "header" else ""
    events = await site.read(headers, where='country = "DE"', **asked)
    assert [(await events.next())["data"]["name"] for _ in range(2)] == ["second", "third"]
    site.window.append([an_event("fourth", country="DE")])
    assert (await events.next())["data"]["name"] == "fourth"


async def test_a_reader_whose_last_event_is_not_held_any_more_is_told_of_the_gap(site: Site):
    site.window.append([an_event()])
    events = await site.read(last_id=str(UUID(int=0)))
    assert "/api/v1/events has them" in (await events.next("gap"))["data"]["message"]


async def test_readers_of_the_same_share_one_look_and_one_text(site: Site):
    streams = [await site.read(where='name = "buy"') for _ in range(5)]
    for events in streams:
        await events.next("numbers")
    (feed,) = site.parts.streams._feeds.values()
    assert len(feed.readers) == 5
    before = feed._window.position()
    site.window.append([an_event("buy") for _ in range(50)])
    for events in streams:
        for _ in range(50):
            await events.next()
    assert list(feed._batches)[-1] == before  # read and encoded once, at that position


async def test_a_reader_that_leaves_is_forgotten_and_with_the_last_one_the_look(site: Site):
    events = await site.read()
    await events.next("numbers")
    (feed,) = site.parts.streams._feeds.values()
    assert feed._task is not None
    events.writer.close()
    await wait_until_async(lambda: not feed.readers, what="the reader is forgotten")
    assert feed._task is None


async def test_a_quiet_stream_says_that_it_stands(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.05)
    events = await site.read()
    await events.next("heartbeat")
    socket = await site.connect()
    while json.loads(await socket.read_message())["type"] != "heartbeat":
        pass
    socket.close()


async def test_a_reader_that_takes_less_than_comes_is_dropped_with_a_word_and_costs_little_until_then(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream, "SLOW_S", 0.5)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(0)
        await asyncio.get_running_loop().sock_connect(slow, ("127.0.0.1", site.port))
        slow.send(f"GET {site.path()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await wait_until_async(lambda: readers_of(site.parts), what="it is read")
        site.window.append([an_event(properties={"text": f"{n}" * 4000}) for n in range(2000)])
        await wait_until_async(lambda: not readers_of(site.parts), what="it is dropped")
        taken = await asyncio.get_running_loop().run_in_executor(None, read_all, slow)
    assert b"event: end\ndata: " in taken
    assert b"was behind for" in taken
    # What the server held for it, beside what the system's own buffers did: not all that came.
    assert len(taken) < 8_000_000


def read_all(slow: socket.socket) -> bytes:
    slow.settimeout(10)
    return b"".join(iter(lambda: slow.recv(1 << 20), b""))


async def test_a_mistake_is_a_400_and_a_filter_too_many_a_503(site: Site):
    for number in range(MOST_FILTERS):
        site.window.look("shop", field("page") == f"/{number}")
    for asked, status in (({"where": "contry = 1"}, 400), ({"last_id": "x"}, 400), ({"where": 'name = "a"'}, 503)):
        response = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{site.port}{site.path(**asked)}", raise_error=False)
        assert response.code == status
        assert json.loads(response.body)["detail"]
        with pytest.raises(HTTPClientError, match=str(status)):
            await site.connect(**asked)


async def test_a_page_of_another_site_opens_no_websocket_and_a_name_that_was_rebound_neither(site: Site):
    address = f"ws://127.0.0.1:{site.port}{site.path()}"
    for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}):
        with pytest.raises(HTTPClientError, match="403"):
            await websocket_connect(HTTPRequest(address, headers=headers))


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({"Origin": "https://elsewhere.example"}, 403, "Cross origin"),
        ({"Connection": "close"}, 400, "Connection"),
        ({"Sec-WebSocket-Version": "1"}, 426, "version 13"),
    ],
)
async def test_a_websocket_that_can_not_be_is_told_why_as_a_problem(
    site: Site, headers: dict[str, str], status: int, told: str
):
    shake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x"}
    address = f"http://127.0.0.1:{site.port}{site.path()}"
    response = await AsyncHTTPClient().fetch(address, headers=shake | headers, raise_error=False)
    assert (response.code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert told in json.loads(response.body)["detail"]


async def test_live_numbers_are_answered_through_a_filter(site: Site):
    site.window.append([an_event(country="DE"), an_event(country="FR"), an_event(project="blog", country="DE")])
    address = f"http://127.0.0.1:{site.port}/api/v1/live"
    for asked, events in (
        ({}, 3),
        ({"where": 'country = "DE"'}, 2),
        ({"where": 'country = "DE"', "project": "blog"}, 1),
    ):
        response = await AsyncHTTPClient().fetch(f"{address}?{urlencode(asked)}")
        assert json.loads(response.body)["events"] == events


async def test_a_stream_through_a_segment_tells_what_the_segment_and_the_filter_keep(site: Site):
    await site.parts.queries.save_segment("shop", "germans", 'country = "DE"')
    events = await site.read(segment="germans", where='name = "buy"')
    await events.next("numbers")
    site.window.append([an_event("buy"), an_event("view", country="DE"), an_event("buy", country="DE")])
    told = await events.next()
    assert (told["data"]["name"], told["data"]["country"]) == ("buy", "DE")


@pytest.mark.parametrize(("becomes", "told"), [('country = "FR"', "was changed"), (None, "was removed")])
async def test_who_reads_through_a_segment_that_changes_is_told_so_and_goes_on_through_what_it_is_now(
    site: Site, monkeypatch: pytest.MonkeyPatch, becomes: str | None, told: str
):
    monkeypatch.setattr(segment_watch, "LOOK_EVERY_S", 0.05)
    await site.parts.queries.save_segment("shop", "some", 'country = "DE"')
    events, socket = await site.read(segment="some"), await site.connect(segment="some")
    first = an_event(country="DE")
    site.window.append([first])
    assert (await events.next())["id"] == first.id
    await site.parts.queries.save_segment("shop", "some", becomes)
    assert told in (await events.next("end"))["data"]["message"]
    while (message := await socket.read_message()) is not None:
        last = json.loads(message)
    assert (last["type"], socket.close_code) == ("end", 1012)
    socket.close()
    site.window.append([an_event(country="DE"), an_event(country="FR")])
    again = f"http://127.0.0.1:{site.port}{site.path(segment='some')}"
    if becomes is None:
        response = await AsyncHTTPClient().fetch(again, raise_error=False)
        assert (response.code, "no segment" in json.loads(response.body)["detail"]) == (400, True)
    else:
        events = await site.read(segment="some", last_id=first.id)
        assert (await events.next())["data"]["country"] == "FR"


async def test_a_store_that_is_away_ends_no_stream_through_a_segment(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(segment_watch, "LOOK_EVERY_S", 0.02)
    await site.parts.queries.save_segment("shop", "some", 'country = "DE"')
    events = await site.read(segment="some")
    await events.next("numbers")
    queries, asked = site.parts.queries, asyncio.Event()
    monkeypatch.setattr(site.parts, "queries", RemoteQueries(Path("/nobody/owns.sock")))
    monkeypatch.setattr(RemoteQueries, "_ask", seen(RemoteQueries._ask, asked))
    await asyncio.wait_for(asked.wait(), 10)
    site.parts.queries = queries
    site.window.append([an_event(country="DE")])
    assert (await events.next())["data"]["country"] == "DE"


def seen(ask: Any, asked: asyncio.Event) -> Any:
    async def look(*arguments: Any) -> Any:
        try:
            return await ask(*arguments)
        finally:
            asked.set()

    return look


async def test_live_numbers_and_the_list_of_segments_know_segments_by_their_names(site: Site):
    await site.parts.queries.save_segment("shop", "germans", 'country = "DE"')
    site.window.append([an_event(country="DE"), an_event("buy", country="DE"), an_event(country="FR")])
    address = f"http://127.0.0.1:{site.port}/api/v1"

    async def ask(path: str, **asked: str) -> tuple[int, Any]:
        response = await AsyncHTTPClient().fetch(f"{address}/{path}?{urlencode(asked)}", raise_error=False)
        return response.code, json.loads(response.body)

    assert (await ask("live", project="shop", segment="germans"))[1]["events"] == 2
    assert (await ask("live", project="shop", segment="germans", where='name = "buy"'))[1]["events"] == 1
    status, problem = await ask("live", project="shop", segment="french")
    assert (status, problem["detail"]) == (400, "there is no segment 'french' for 'shop'; there are germans")
    assert (await ask("live", segment="germans"))[0] == 400  # it is one project's
    (row,) = (await ask("segments", project="shop"))[1]
    assert (row["name"], row["where"]) == ("germans", 'country = "DE"')
