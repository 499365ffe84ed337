from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler, websocket_connect
from waiting import wait_until_async

from glimpse.server.slow_clients import IDLE_WITHIN_S, REQUEST_WITHIN_S, SlowClients

WHOLE = b"POST /echo HTTP/1.1\r\nHost: stats.test\r\nContent-Length: 2\r\n\r\nhi"
HALF_A_HEAD, HALF_A_BODY = WHOLE[:30], WHOLE[:-1]


class Echo(RequestHandler):
    def post(self):
        self.finish(self.request.body)


class Held(RequestHandler):
    release = asyncio.Event()

    async def post(self):
        await Held.release.wait()
        self.finish("at last")


@stream_request_body
class InParts(RequestHandler):
    seen: Any = staticmethod(lambda: None)

    def data_received(self, chunk: bytes) -> None:
        InParts.seen()


class Socket(WebSocketHandler):
    def on_message(self, message: str | bytes):
        self.write_message(message)


class Swept:
    """A server, its clients, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.http = HTTPServer(
            Application([("/echo", Echo), ("/held", Held), ("/parts", InParts), ("/socket", Socket)])
        )
        self.slow = SlowClients(self.http, lambda: self.now)
        listener, self.port = bind_unused_port()
        self.http.add_socket(listener)
        self.writers: list[asyncio.StreamWriter] = []

    async def connect(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection; return when the server has it, and what was sent on it."""
        known = len(self.slow._clients)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        await wait_until_async(lambda: len(self.slow._clients) > known)
        await self.send(writer, sent)
        return reader, writer

    async def send(self, writer: asyncio.StreamWriter, sent: bytes) -> None:
        writer.write(sent)
        await writer.drain()
        for _ in range(20):  # the server is in this loop too: by then it has read
            await asyncio.sleep(0)

    def go_on(self, seconds: float) -> None:
        """Let time pass, with sweeps at its begin and its end."""
        self.slow.sweep()
        self.now += seconds
        self.slow.sweep()


@pytest.fixture
async def swept() -> AsyncIterator[Swept]:
    made = Swept()
    yield made
    Held.release.set()
    made.http.stop()
    for writer in made.writers:
        writer.close()
    await made.http.close_all_connections()


async def is_open(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(TimeoutError, ConnectionError):
        return bool(await asyncio.wait_for(reader.read(4096), 0.1))
    return not reader.at_eof()


@pytest.mark.parametrize("sent", [HALF_A_HEAD, HALF_A_BODY, b""], ids=["in its head", "in its body", "before it"])
async def test_a_first_request_that_takes_too_long_is_ended(swept: Swept, sent: bytes):
    reader, _ = await swept.connect(sent)
    swept.go_on(REQUEST_WITHIN_S - 1)
    assert await is_open(reader)
    swept.go_on(1.1)
    assert not await is_open(reader)


async def test_a_sweep_that_comes_just_between_two_parts_of_a_body_wins_it_no_time(swept: Swept):
    InParts.seen = swept.slow.sweep
    reader, writer = await swept.connect(b"POST /parts HTTP/1.1\r\nHost: stats.test\r\nContent-Length: 9\r\n\r\na")
    swept.go_on(REQUEST_WITHIN_S - 1)
    await swept.send(writer, b"b")
    swept.go_on(2)
    assert not await is_open(reader)


async def test_a_byte_now_and_then_wins_no_time(swept: Swept):
    reader, writer = await swept.connect(HALF_A_HEAD)
    for _ in range(10):
        swept.go_on(1)
        await swept.send(writer, b"x")
    assert not await is_open(reader)


@pytest.mark.parametrize("sent", [HALF_A_HEAD, HALF_A_BODY])
async def test_a_later_request_has_its_time_from_its_first_byte(swept: Swept, sent: bytes):
    reader, writer = await swept.connect(WHOLE)
    assert (await reader.read(4096)).endswith(b"hi")
    swept.go_on(REQUEST_WITHIN_S * 3)
    await swept.send(writer, sent)
    swept.go_on(REQUEST_WITHIN_S - 1)
    assert await is_open(reader)
    swept.go_on(1.1)
    assert not await is_open(reader)


async def test_time_of_one_request_is_not_that_of_the_next(swept: Swept):
    reader, writer = await swept.connect(HALF_A_BODY)
    for _ in range(3):
        swept.go_on(REQUEST_WITHIN_S - 1)
        await swept.send(writer, WHOLE[-1:] + HALF_A_BODY)  # ends one and begins another between two sweeps
        assert (await asyncio.wait_for(reader.readuntil(b"hi"), 5)).startswith(b"HTTP/1.1 200")
    assert await is_open(reader)


async def test_a_connection_that_nobody_uses_is_closed_later(swept: Swept):
    reader, _ = await swept.connect(WHOLE)
    assert (await reader.read(4096)).endswith(b"hi")
    swept.go_on(IDLE_WITHIN_S - 1)
    assert await is_open(reader)
    swept.go_on(1.1)
    assert not await is_open(reader)


async def test_an_answer_may_take_its_time(swept: Swept):
    Held.release.clear()
    reader, _ = await swept.connect(WHOLE.replace(b"echo", b"held"))
    swept.go_on(IDLE_WITHIN_S * 2)
    Held.release.set()
    assert b"at last" in await asyncio.wait_for(reader.read(4096), 5)


async def test_a_web_socket_is_left_alone(swept: Swept):
    socket: Any = await websocket_connect(f"ws://127.0.0.1:{swept.port}/socket")
    swept.go_on(IDLE_WITHIN_S * 2)
    await socket.write_message("still here")
    assert await asyncio.wait_for(socket.read_message(), 5) == "still here"
    assert not swept.slow._clients
    socket.close()
