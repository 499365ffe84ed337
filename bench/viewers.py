"""Viewers without a browser: each opens a page over HTTP and WebSocket as a browser does it, and reads what it is sent.

`python bench/viewers.py --url http://127.0.0.1:5006 --viewers 19` holds so many until it is ended. What a server has to
do for a viewer is the same; what a browser has to do for it is done on the viewer's machine, so not on this one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

WITHIN_S = 120
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
    options = parser.parse_args()
    asyncio.run(hold(options.url, options.viewers))


async def hold(url: str, viewers: int) -> None:
    """Read and drop what so many viewers are sent."""
    lines = [await opened(url) for _ in range(viewers)]
    print("there", flush=True)
    await asyncio.gather(*(_drop(line) for line in lines))


async def _drop(line: WebSocketClientConnection) -> None:
    while await line.read_message() is not None:
        pass


async def opened(url: str) -> WebSocketClientConnection:
    """Open a tab: its page, its socket, and the word that it is ready."""
    token = await token_of(url)
    address = f"{url.replace('http', 'ws', 1)}/glimpse_app/ws"
    socket = HTTPRequest(address, connect_timeout=WITHIN_S, request_timeout=WITHIN_S)
    line = await websocket_connect(socket, subprotocols=["bokeh", token])
    await line.read_message()  # the server's word that it has the session; before it nothing may be sent
    for part in messages():
        await line.write_message(part)
    return line


async def token_of(url: str) -> str:
    """Ask for a page, and return what its socket is opened with."""
    answer = await AsyncHTTPClient().fetch(HTTPRequest(f"{url}/glimpse_app?project=demo", request_timeout=WITHIN_S))
    token = TOKEN.search(answer.body)
    assert token
    return token[1].decode()


def messages() -> list[str]:
    """Return what a page says when it is ready."""
    return [json.dumps({"msgid": "1", "msgtype": "PATCH-DOC"}), "{}", json.dumps({"events": [READY]})]


if __name__ == "__main__":
    main()
