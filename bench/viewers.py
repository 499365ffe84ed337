"""Viewers without a browser: each opens a page over HTTP and WebSocket as a browser does it, and reads what it is sent.

`python bench/viewers.py --url http://127.0.0.1:5006 --viewers 19` holds so many until it is ended; with `--seconds` it
prints how many changes each was sent in these. What a server has to do for a viewer is the same; what a browser has to
do for it is done on the viewer's machine, so not on this one.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

WITHIN_S = 120
TELL_EVERY_S = 5.0
PONG = b"\x8a\x80\0\0\0\0"  # that it is alive, whether it was asked or not
TOKEN = re.compile(rb'"token":\s*"([^"]+)"')
READY = {
    "kind": "MessageSent",
    "msg_type": "bokeh_event",
    "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map"}},
}


def main() -> None:
    """Hold viewers, and say so once they are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--viewers", type=int, default=9)
    parser.add_argument("--project", default="demo")
    parser.add_argument("--seconds", type=float, default=0, help="count changes for so long (default: hold them)")
    options = parser.parse_args()
    if options.seconds:
        asyncio.run(count(options.url, options.project, options.viewers, options.seconds))
    else:
        asyncio.run(hold(options.url, options.project, options.viewers))


async def hold(url: str, project: str, viewers: int) -> None:
    """Read and drop what so many viewers are sent, as bytes: what a browser makes of them is its machine's affair."""
    port = urlsplit(url).port
    assert port
    lines = [await connected(url, port, project) for _ in range(viewers)]
    print("there", flush=True)
    await asyncio.gather(*(_drop(*line) for line in lines))


async def count(url: str, project: str, viewers: int, seconds: float) -> None:
    """Tell how many changes each of so many viewers is sent."""
    lines = [await opened(url, project) for _ in range(viewers)]
    print("there", flush=True)
    print(json.dumps(await asyncio.gather(*(_changes(line, seconds) for line in lines))))


async def _changes(line: WebSocketClientConnection, seconds: float) -> int:
    changes = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (frame := await line.read_message()) is not None:
                changes += isinstance(frame, str) and '"msgtype": "PATCH-DOC"' in frame
    line.close()
    return changes


async def _drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    told_at = 0.0
    while await reader.read(2**20):
        if time.monotonic() - told_at > TELL_EVERY_S:
            told_at = time.monotonic()
            writer.write(PONG)


async def connected(
    url: str, port: int, project: str = "demo", keeps: int = 2**20, pulls: Sequence[str] = ()
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a tab as `opened` does, with a socket whose bytes one reads oneself; about so many are taken before."""
    token = await token_of(url, project)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, keeps)  # else the system takes megabytes for who reads nothing
    line.connect(("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=line, limit=keeps)
    head = {"Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade"}
    head |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode()}
    head |= {"Sec-WebSocket-Protocol": f"bokeh, {token}"}
    lines = ["GET /glimpse_app/ws HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    heard = b""
    while b"ACK" not in heard:
        heard += await reader.read(4096)
    for part in [*messages(), *pulls]:
        body = part.encode()
        size = bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0x80 | 126]) + len(body).to_bytes(2, "big")
        writer.write(b"\x81" + size + b"\0\0\0\0" + body)
    return reader, writer


async def opened(url: str, project: str = "demo") -> WebSocketClientConnection:
    """Open a tab: its page, its socket, and the word that it is ready."""
    token = await token_of(url, project)
    address = f"{url.replace('http', 'ws', 1)}/glimpse_app/ws"
    socket = HTTPRequest(address, connect_timeout=WITHIN_S, request_timeout=WITHIN_S)
    line = await websocket_connect(socket, subprotocols=["bokeh", token])
    await line.read_message()  # the server's word that it has the session; before it nothing may be sent
    for part in messages():
        await line.write_message(part)
    return line


async def token_of(url: str, project: str = "demo") -> str:
    """Ask for a page, and return what its socket is opened with."""
    address = f"{url}/glimpse_app?project={project}"
    answer = await AsyncHTTPClient().fetch(HTTPRequest(address, request_timeout=WITHIN_S))
    token = TOKEN.search(answer.body)
    assert token
    return token[1].decode()


def messages() -> list[str]:
    """Return what a page says when it is ready."""
    return [json.dumps({"msgid": "1", "msgtype": "PATCH-DOC"}), "{}", json.dumps({"events": [READY]})]


if __name__ == "__main__":
    main()
