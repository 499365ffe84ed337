"""What is kept for a viewer whose browser reads nothing more."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import panel as pn
import pytest
from bokeh.document import Document
from live_events import make_event
from panel.io.document import _write_tasks
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from glimpse.live import Window
from glimpse.server.silent_viewers import MOST_UNREAD_BYTES, MOST_UNSENT_MESSAGES, behind
from glimpse.views.dashboard import Dashboard
from glimpse.views.page import page

NOW = 1_700_000_000_000
READY = {"type": "event", "name": "document_ready", "values": {"type": "map"}}
HEARD = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": READY}


class Site:
    """A server in this loop, with a window that the test fills."""

    def __init__(self) -> None:
        self.window = Window(minutes=30, max_events=10_000, now_ms=lambda: NOW)
        self.documents: list[Document] = []
        self.refreshes = 0
        self._server = pn.io.server.get_server(
            {"/dash": self._show}, address="127.0.0.1", loop=IOLoop.current(), start=False, websocket_origin="*"
        )
        self._server.start()
        self.port = self._server.port
        assert self.port

    def _show(self) -> Any:
        document = pn.state.curdoc
        assert document
        self.documents.append(document)
        dashboard = Dashboard(self.window, "shop")
        dashboard.pull.holds_back = behind(document)
        dashboard.pull.add(self._note, always=True)
        return page(dashboard)

    def _note(self, _: object) -> None:
        self.refreshes += 1

    def hears(self, events: int) -> None:
        self.window.append([make_event(NOW, f"e{n % 5}", f"s{n}", id=os.urandom(8).hex()) for n in range(events)])

    def kept(self) -> Iterator[tuple[int, int]]:
        """Return for each connection how many bytes wait to be read, and how many messages to be written."""
        for document in self.documents:
            context: Any = document.session_context
            for connection in context.session._subscribed_connections if context else ():
                unread = connection._socket.ws_connection.stream._write_buffer
                yield len(unread), len(_write_tasks.get(document, []))

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    before = signal.getsignal(signal.SIGINT)  # Panel takes it from whoever makes a server
    site = Site()
    signal.signal(signal.SIGINT, before)
    yield site
    site.stop()


@asynccontextmanager
async def who_asks_for_the_page_and_reads_nothing(site: Site) -> AsyncIterator[None]:
    answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{site.port}/dash")
    token = re.search(rb'"token":\s*"([^"]+)"', answer.body)
    assert token
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # the system takes little for it
    line.connect(("127.0.0.1", site.port))
    reader, writer = await asyncio.open_connection(sock=line, limit=4096)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /dash/ws HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Protocol: bokeh, {token[1].decode()}\r\n\r\n".encode()
    )
    heard = b""
    while b"ACK" not in heard:
        heard += await reader.read(4096)
    patch = [json.dumps({"msgid": "1", "msgtype": "PATCH-DOC"}), "{}", json.dumps({"events": [HEARD]})]
    pulls = [json.dumps({"msgid": "2", "msgtype": "PULL-DOC-REQ"}), "{}", "{}"] * 6
    for part in [*patch, *pulls]:
        size = bytes([0x80 | len(part)]) if len(part) < 126 else bytes([0x80 | 126]) + len(part).to_bytes(2, "big")
        writer.write(b"\x81" + size + b"\0\0\0\0" + part.encode())
    try:
        yield
    finally:
        writer.transport.abort()


async def test_for_who_reads_nothing_a_bounded_number_of_messages_is_kept_however_much_comes(site: Site):
    site.hears(1)
    async with who_asks_for_the_page_and_reads_nothing(site):
        async with asyncio.timeout(20):
            while not any(unread for unread, _ in site.kept()):
                site.hears(10)
                await asyncio.sleep(0.05)
        most_bytes = most_messages = 0
        for _ in range(60):
            site.hears(40)
            await asyncio.sleep(0.1)
            for unread, messages in site.kept():
                most_bytes, most_messages = max(most_bytes, unread), max(most_messages, messages)
        assert site.refreshes, "the control: something was sent at all"
        assert most_messages <= 6 * MOST_UNSENT_MESSAGES
        assert most_bytes < 2_000_000 - MOST_UNREAD_BYTES
