"""Servers that store what they take: how many events a second go all the way, from the request to the store."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from contest.books import BullBooks, DrainedBooks
from contest.contenders import Collect, PanelAlone, Seedstack
from contest.machine import cpu_seconds, processes_of
from contest.server import Server

LOAD = Path(__file__).parents[1] / "load.py"
_STORED_WITHIN_S = 120
_ALL_CORES = set(range(os.cpu_count() or 1))


class Sustained(NamedTuple):
    """What one turn showed."""

    rate: float  # events a second, from the first request until the last event was stored
    p99_ms: float
    shares: dict[str, float]  # of a core, by process
    problem: str = ""


class OnAllCores(Server):
    """A contender whose processes run wherever there is room, with one that drains beside the one that takes."""

    drain: subprocess.Popen[bytes] | None = None

    def drain_command(self) -> list[str]:
        """Return what drains; nothing where the server does."""
        return []

    def __enter__(self) -> Self:
        super().__enter__()
        if command := self.drain_command():
            with (self.folder / "drain.log").open("ab") as log:
                told = os.environ | self.environment()
                self.drain = subprocess.Popen(command, env=told, stdout=log, stderr=log, cwd=self.folder)
        for pid in self.processes().values():
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), _ALL_CORES)
        return self

    def __exit__(self, *details: object) -> None:
        if self.drain:
            with contextlib.suppress(ProcessLookupError):
                self.drain.terminate()
            self.drain.wait(15)
        super().__exit__(*details)

    def processes(self) -> dict[str, int]:
        """Return every process that works for it, by what it does."""
        family = {f"server {number}": pid for number, pid in enumerate(processes_of(self.pid))}
        drain = {"drain": self.drain.pid} if self.drain else {}
        return family | drain | {"valkey": self.beside()[0]}


class CollectAndWork(OnAllCores, Collect):
    """`glimpse collect` with one worker, and `glimpse work`."""

    name = "glimpse collect and glimpse work"

    def prepare(self) -> None:  # noqa: D102
        self.books = DrainedBooks(self.start_redis())

    def drain_command(self) -> list[str]:  # noqa: D102
        return [sys.executable, "-c", "import sys; from glimpse.cli import main; sys.exit(main())", "work"]


class PanelServe(OnAllCores, PanelAlone):
    """One process that takes, drains, stores and shows."""

    name = "one panel serve"


class SeedstackAndWorker(OnAllCores, Seedstack):
    """The seed's api and worker on Bun, which store nothing."""

    name = "the seed's api and worker on Bun"
    concurrency = 50

    def drain_command(self) -> list[str]:  # noqa: D102
        return [*self.command()[:-1], str(self.source / "worker.mjs")]

    def environment(self) -> dict[str, str]:  # noqa: D102
        return super().environment() | {"CONCURRENCY": str(self.concurrency)}


def sustain(server: OnAllCores, seconds: float, kind: str = "one", rate: float = 0) -> Sustained:
    """Send for some seconds, wait until all is stored, and look into the server's books."""
    books = server.books
    assert books
    processes = server.processes()
    spent, before = {name: cpu_seconds(pid) for name, pid in processes.items()}, books.taken()
    flags = ["--port", str(server.port), "--kind", kind, "--seconds", str(seconds), "--warm-up", "0"]
    ran = subprocess.run(
        [sys.executable, LOAD, *flags, "--rate", str(rate)], capture_output=True, text=True, timeout=600, check=True
    )
    seen, ended = json.loads(ran.stdout), time.monotonic()
    is_stored = _wait_until_stored(server)
    took = seconds + time.monotonic() - ended  # without the generator's own start
    shares = {name: (cpu_seconds(pid) - spent[name]) / took for name, pid in processes.items()}
    accepted = seen["statuses"].get("200", 0) * seen["events_each"]
    booked = books.taken()["accepted"] - before["accepted"]
    problem = "" if is_stored and booked == accepted else f"answered 200 for {accepted}, booked {booked}"
    return Sustained(accepted / took, seen["p99_ms"], shares, problem or _refused(seen))


def _refused(seen: dict[str, Any]) -> str:
    return "" if set(seen["statuses"]) == {"200"} else f"the answers were {seen['statuses']}"


def _wait_until_stored(server: Server) -> bool:
    deadline = time.monotonic() + _STORED_WITHIN_S
    while _waiting(server):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _waiting(server: Server) -> int:
    redis: Any = server.books.redis if server.books else None
    keys: Sequence[str] = ("bull:eventQueue:wait", "bull:eventQueue:active")
    if isinstance(server.books, BullBooks):
        return sum(redis.llen(key) for key in keys)
    return sum(redis.xlen(stream) for stream in redis.scan_iter("glimpse:events:*", _type="stream"))
