"""Viewers of a served dashboard, without browsers: each has a session and its socket, and counts what it is sent.

`python bench/contest/viewers.py ADDRESS VIEWERS SECONDS` prints a line when all are there, and then how many changes
each was sent from that moment on.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

from bokeh.document import Document
from bokeh.document.events import MessageSentEvent
from bokeh.events import DocumentReady
from bokeh.protocol import Protocol
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect


async def open_page(address: str) -> Any:
    """Open a page, say that it is there, and return its socket."""
    page = await AsyncHTTPClient().fetch(address, request_timeout=60)
    token = re.search(rb'"token":"([^"]+)"', page.body)
    assert token, "the page has no token"
    protocols = ["bokeh", token[1].decode()]
    request = HTTPRequest(f"ws{address.removeprefix('http')}/ws", connect_timeout=60, request_timeout=60)
    socket: Any = await websocket_connect(request, subprotocols=protocols)
    is_there: Any = Protocol().create("PATCH-DOC", [MessageSentEvent(Document(), "bokeh_event", DocumentReady())])
    for fragment in (is_there.header_json, is_there.metadata_json, is_there.content_json):
        await socket.write_message(fragment)
    return socket


async def count_changes(socket: Any, seconds: float) -> int:
    """Return how many changes a page is sent."""
    changes = 0
    try:
        async with asyncio.timeout(seconds):
            while (frame := await socket.read_message()) is not None:
                changes += isinstance(frame, str) and '"msgtype": "PATCH-DOC"' in frame
    except TimeoutError:
        socket.close()
    return changes


async def main() -> None:
    address, viewers, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    sockets = await asyncio.gather(*(open_page(address) for _ in range(viewers)))
    print("all are there", flush=True)
    print(json.dumps(await asyncio.gather(*(count_changes(socket, seconds) for socket in sockets))))


if __name__ == "__main__":
    asyncio.run(main())
