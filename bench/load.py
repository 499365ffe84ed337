"""Load on one server, from one core: `python bench/load.py --port 8000`; prints what came back as one line of JSON.

Closed loop: each of so many keep-alive connections sends its next request when it has its answer. With `--rate` they
start by the clock instead, for latencies. The requests are made beforehand, and an answer is looked at only as far as
its status and length, so that the generator takes some ten microseconds of a core for each.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import cast

import uvloop
from contest.machine import cpu_seconds
from contest.payload import events_in, requests_of

TICK_S = 0.001
STRAGGLERS_WITHIN_S = 5.0
_clock = time.perf_counter


class Load:
    """What all connections share: the requests to send, and what came back."""

    def __init__(self, kind: str, *, is_paced: bool) -> None:
        self._templates = itertools.cycle(requests_of(kind))
        self._numbers = itertools.count(time.time_ns() // 1_000 & 0xFFFFFFFFFF)
        self.statuses: Counter[int] = Counter()
        self.latencies_s: list[float] = []
        self.idle: deque[Connection] = deque()
        self.owed: deque[float] = deque()  # paced: requests that are due, by when they were
        self.is_paced = is_paced
        self.is_over = False
        self.under_way = 0
        self.broken = 0
        self.common_answer = b""  # an answer like the last is known by its length

    def next_request(self) -> bytes:
        """Return a request with ids that were in none before."""
        return (b"%012x" % next(self._numbers)).join(next(self._templates))


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at most."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self._sent_at = 0.0
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready to send."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by their class
        self._load.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """Count what can't be answered any more."""
        if self._is_waiting or not self._load.is_over:
            self._load.broken += 1
        if self._is_waiting:
            self._load.under_way -= 1

    def send(self, due_at: float) -> None:
        """Send the next request; its latency counts from when it was due."""
        self._sent_at = due_at
        self._is_waiting = True
        self._load.under_way += 1
        self._transport.write(self._load.next_request())

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer, mostly all of it."""
        load = self._load
        if len(data) != len(load.common_answer) or data[:16] != load.common_answer[:16] or self._received:
            data = self._received + data
            if len(data) < _length(data):
                self._received = data
                return
            self._received, load.common_answer = b"", data
        now = _clock()
        load.latencies_s.append(now - self._sent_at)
        load.statuses[int(data[9:12])] += 1
        load.under_way -= 1
        self._is_waiting = False
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        load = self._load
        if load.is_over:
            self._transport.close()
        elif load.owed:
            self.send(load.owed.popleft())
        elif load.is_paced:
            load.idle.append(self)
        else:
            self.send(now)


def _length(data: bytes) -> int:
    """Return an answer's whole length, more than there is while its head is not complete."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return len(data) + 1
    size = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return len(head) + len(end) + int(size or 0)


async def _pace(load: Load, rate: float) -> None:
    began, started = _clock(), 0
    while not load.is_over:
        now = _clock()
        for _ in range(int((now - began) * rate) - started):
            started += 1
            if load.idle:
                load.idle.popleft().send(now)
            else:
                load.owed.append(now)
        await asyncio.sleep(TICK_S)


class Meter:
    """How much of a core processes use, from when it is made."""

    def __init__(self, watched: list[int], beside: list[int]) -> None:
        self._spent: dict[str, Callable[[], float]] = {
            "generator_share": time.process_time,
            "watched_share": lambda: sum(map(cpu_seconds, watched)),
            "beside_share": lambda: sum(map(cpu_seconds, beside)),
        }
        self._before = {who: spent() for who, spent in self._spent.items()}
        self._began = _clock()

    def read(self) -> dict[str, float]:
        """Return the seconds since it was made, and the shares."""
        seconds = _clock() - self._began
        shares = {who: (spent() - self._before[who]) / seconds for who, spent in self._spent.items()}
        return {"seconds": seconds} | shares


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Connect, warm up, measure, and wait for the last answers."""
    load = Load(options.kind, is_paced=options.rate > 0)
    loop = asyncio.get_running_loop()
    for _ in range(options.connections):
        await loop.create_connection(lambda: Connection(load), options.host, options.port)
    pacing = asyncio.create_task(_pace(load, options.rate)) if load.is_paced else None
    if not pacing:
        for connection in [load.idle.popleft() for _ in range(len(load.idle))]:
            connection.send(_clock())
    await asyncio.sleep(options.warm_up)
    before, load.latencies_s = load.statuses.copy(), []
    meter = Meter(options.watch, options.beside)
    await asyncio.sleep(options.seconds)
    used = meter.read()
    measured, latencies = load.statuses - before, sorted(load.latencies_s)
    load.is_over = True
    load.owed.clear()
    deadline = _clock() + STRAGGLERS_WITHIN_S
    while load.under_way and _clock() < deadline:  # noqa: ASYNC110 - a look now and then is all
        await asyncio.sleep(0.01)
    answered = len(latencies)
    return {
        "statuses": load.statuses,  # of all, warming up included: what the server's books have to say too
        "unanswered": load.under_way + load.broken,
        "events_each": events_in(options.kind),
        "measured": measured,
        "rate": answered / used["seconds"],
        **used,
        **{f"p{q}_ms": 1e3 * latencies[min(answered - 1, answered * q // 100)] for q in (50, 99, 100) if answered},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--kind", default="one", help="one, twenty, or what is wrong with the event")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0, help="requests a second (default: as many as it takes)")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds that are not measured")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--watch", type=int, nargs="*", default=[], help="the server's processes")
    parser.add_argument("--beside", type=int, nargs="*", default=[], help="processes that work for the server")
    options = parser.parse_args()
    gc.disable()
    print(json.dumps(uvloop.run(run(options))))


if __name__ == "__main__":
    main()
