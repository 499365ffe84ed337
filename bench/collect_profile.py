"""What one event costs the collector besides the kernel: `python bench/collect_profile.py [--profile]`.

Whole requests go into real connections, edge and buffer; only sockets and Redis are missing. The least of several
rounds is printed: on a machine that does other work as well, that is the figure that says something.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import pstats
import time
from collections.abc import Sequence
from typing import Any

import uvloop
from contest.payload import events_in, requests_of

from glimpse.buffer.records import Command
from glimpse.clock import steady_now_ms
from glimpse.collect.limits.bucket import Ask, Grant
from glimpse.collect.server.collector import Collector
from glimpse.collect.server.connection import Connection
from glimpse.settings import Settings

CONNECTIONS, ROUNDS, TURNS = 64, 300, 4


class AlwaysConfirms:
    """A channel to a Redis that takes everything in the same turn."""

    def send(self, commands: Sequence[Command], settled: Any) -> None:
        """Confirm."""
        asyncio.get_running_loop().call_soon(settled, [0] * len(commands), None)

    def abandon(self) -> None:
        """Have nothing to give up."""


class AlwaysLends:
    """A lender of as many tokens as anybody wants."""

    async def lend(self, asks: Sequence[Ask]) -> list[Grant]:
        """Lend."""
        return [Grant(ask.most, ask.most) for ask in asks]


class Sink:
    """A transport that counts answers."""

    def __init__(self) -> None:
        self.accepted = self.answers = 0

    def write(self, data: bytes) -> None:
        """Count."""
        self.answers += 1
        self.accepted += data.startswith(b"HTTP/1.1 200")

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        """Name a peer on loopback, so that what it forwards counts."""
        return ("127.0.0.1", 1)


async def measure(kind: str, *, is_profiled: bool) -> None:
    collector = Collector("unix:///nowhere", Settings(rate_limit=(1e9, 1e9)))
    collector.edge._limits._lender = AlwaysLends()  # noqa: SLF001
    collector.buffer._appender._channel = AlwaysConfirms()  # noqa: SLF001
    collector.buffer._salts._by_day = {steady_now_ms() // 86_400_000 + i: b"s" * 32 for i in (-1, 0)}  # noqa: SLF001
    sinks, connections = [Sink() for _ in range(CONNECTIONS)], []
    for sink in sinks:
        connections.append(Connection(collector.listener))
        connections[-1].connection_made(sink)
    requests = [(b"%012x" % n).join(parts) for n, parts in enumerate(requests_of(kind))]
    profile = cProfile.Profile()
    best = float("inf")
    for turn in range(ROUNDS):
        if is_profiled and turn == 1:
            profile.enable()
        began = time.thread_time()
        for i in range(TURNS):
            for j, connection in enumerate(connections):
                connection.data_received(requests[(i * CONNECTIONS + j) % len(requests)])
            for _ in range(4):
                await asyncio.sleep(0)
        best = min(best, (time.thread_time() - began) / (TURNS * CONNECTIONS))
    profile.disable()
    answers, accepted = sum(s.answers for s in sinks), sum(s.accepted for s in sinks)
    print(f"{kind}: {1e6 * best:.2f} µs a request, {1e6 * best / events_in(kind):.2f} µs an event", end="; ")
    print(f"{answers} answers, {accepted} accepted")
    if is_profiled:
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="one")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as workers do
    uvloop.run(measure(options.kind, is_profiled=options.profile))


if __name__ == "__main__":
    main()
