"""Sockets that send a byte now and then, for a minute, while others go on: `python bench/slowloris.py`.

A third of them drip the bytes of a head, a third those of a body, a third say nothing; whichever is closed comes again
at once. Aims, for `glimpse collect` and for Panel's port: the others' p99 below 100 ms, and no socket older than 10 s.
What the others see without all that is measured first: a busy machine can miss the aim by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from contest.contenders import Collect, PanelAlone
from contest.machine import OTHER_CORE, on_core
from contest.server import Server

LOAD = Path(__file__).parent / "load.py"
HEAD = b"POST /event HTTP/1.1\r\nHost: stats.example.com\r\n"
KINDS = {"head": HEAD + b"X-Slow: ", "body": HEAD + b"Content-Length: 500\r\n\r\n{", "silent": b""}
DRIP_EVERY_S = 1.0
COME_WITHIN_S = 5.0  # all of them; at once they would keep this process busy, and the others' load with it
UNDISTURBED_S = 10.0
MOST_P99_MS, MOST_LIFE_S = 100, 10.0


class Slow:
    """So many sockets, and how long each was allowed to live."""

    def __init__(self, port: int, sockets: int) -> None:
        self._port = port
        self._sockets = sockets
        self._ends_at = 0.0
        self.lives_s: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self.refused = self.never_taken = 0

    async def attack(self, seconds: float) -> None:
        """Keep all of them open for so long."""
        self._ends_at = time.monotonic() + seconds
        kinds = itertools.islice(itertools.cycle(KINDS), self._sockets)
        waits = (COME_WITHIN_S * index / self._sockets for index in range(self._sockets))
        await asyncio.gather(*(self._again_and_again(kind, wait) for kind, wait in zip(kinds, waits, strict=True)))

    async def _again_and_again(self, kind: str, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        while time.monotonic() < self._ends_at:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                self.refused += 1
                await asyncio.sleep(DRIP_EVERY_S)
                continue
            began = time.monotonic()
            if await self._drip(kind, reader, writer):
                self.lives_s[kind].append(time.monotonic() - began)
            else:
                self.never_taken += 1
            writer.close()

    async def _drip(self, kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send a byte now and then until the server has had enough, or the time is over.

        Return whether the server had the socket at all. A silent one that the kernel dropped from a full queue looks
        open from here, until a byte is sent and answered with a reset.
        """
        closed = asyncio.create_task(_closed(reader))
        writer.write(KINDS[kind])
        speaks_at = time.monotonic() + (MOST_LIFE_S + DRIP_EVERY_S if kind == "silent" else 0)
        while time.monotonic() < self._ends_at:
            done, _ = await asyncio.wait([closed], timeout=DRIP_EVERY_S)
            if done:
                return not (kind == "silent" and closed.result() and time.monotonic() > speaks_at)
            if time.monotonic() > speaks_at:
                writer.write(b"x")
        closed.cancel()
        return True


async def _closed(reader: asyncio.StreamReader) -> bool:
    """Wait for the end; return whether it was a reset."""
    try:
        while await reader.read(4096):
            pass
    except OSError:
        return True
    return False


async def measure(server: Server, options: argparse.Namespace) -> bool:
    """Attack a server while events come in; return whether the aims are reached."""
    slow = Slow(server.port, options.sockets)
    undisturbed = await _others(server, options.rate, UNDISTURBED_S)
    others = asyncio.create_task(_others(server, options.rate, options.seconds - 1))
    await slow.attack(options.seconds)
    seen = await others
    lives = {kind: max(lives) for kind, lives in slow.lives_s.items()}
    sockets = sum(map(len, slow.lives_s.values()))
    said = ", ".join(f"{kind} {life:.1f} s" for kind, life in lives.items())
    print(f"{server.name}: {sockets:,} slow sockets, the longest lives: {said} (at most 10)")
    print(f"  not let in: {slow.refused} refused, {slow.never_taken} dropped from a full queue")
    print(f"  others before: {_said(undisturbed)}")
    print(f"  others meanwhile: {_said(seen)} (p99 below {MOST_P99_MS} ms)", flush=True)
    is_right = set(seen["statuses"]) == {"200"} and not seen["unanswered"]
    return is_right and seen["p99_ms"] < MOST_P99_MS and max(lives.values()) <= MOST_LIFE_S


def _said(seen: dict[str, Any]) -> str:
    times = ", ".join(f"p{q} {seen[f'p{q}_ms']:.1f} ms" for q in (50, 99, 100))
    return f"{times}; {seen['statuses']}, {seen['unanswered']} unanswered"


async def _others(server: Server, rate: float, seconds: float) -> dict[str, Any]:
    flags = {"port": server.port, "rate": rate, "seconds": seconds, "connections": 16}
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    load = await asyncio.create_subprocess_exec(sys.executable, LOAD, *words, stdout=asyncio.subprocess.PIPE)
    said, _ = await load.communicate()
    return json.loads(said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=300, help="events a second of the others")
    parser.add_argument("--only", help="one of the two, by a part of its name")
    options = parser.parse_args()
    are_right = True
    for kind in (Collect, PanelAlone):
        if not options.only or options.only in kind.name:
            folder = tempfile.TemporaryDirectory(prefix="glimpse-slow-")
            with folder as path, kind(Path(path)) as server, on_core(OTHER_CORE):
                are_right &= uvloop.run(measure(server, options))
    return 0 if are_right else 1


if __name__ == "__main__":
    sys.exit(main())
