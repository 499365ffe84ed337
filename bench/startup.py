"""Time from `panel serve glimpse_app.py` to the first accepted event, and the memory of all its processes at rest.

Run it alone on the machine: `python bench/startup.py`. Aims: 4 s, 300 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

APP = Path(__file__).parent.parent / "glimpse_app.py"
EVENT = json.dumps({"projectId": "bench", "event": "page_view", "timestamp": time.time_ns() // 1_000_000}).encode()
SETTLED_AFTER_S = 8.0  # the views are imported by then


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--num-procs", type=int, default=1)
    options = parser.parse_args()
    results = [measure(options.num_procs) for _ in range(options.runs)]
    seconds, megabytes, stop_seconds = zip(*results, strict=True)
    print(f"from panel serve to the first accepted event: median {statistics.median(seconds):.2f} s (aim 4)")
    print(f"memory at rest, all processes: median {statistics.median(megabytes):.0f} MB (aim 300)")
    print(f"from SIGTERM to the end: median {statistics.median(stop_seconds):.2f} s (at most 10)")


def measure(num_procs: int) -> tuple[float, float, float]:
    """Return seconds to the first event, MB at rest, and seconds to stop."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        flags = ["--port", str(port), *(["--num-procs", str(num_procs)] if num_procs > 1 else [])]
        environment = os.environ | {"GLIMPSE_DATA_DIR": folder}
        began = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "panel", "serve", str(APP), *flags], env=environment, stderr=subprocess.DEVNULL
        )
        try:
            while not is_taken(port):
                time.sleep(0.01)
            seconds = time.perf_counter() - began
            time.sleep(SETTLED_AFTER_S)
            megabytes = memory_mb(server.pid)
        finally:
            stopping = time.perf_counter()
            server.send_signal(signal.SIGTERM)
            server.wait(15)
        stop_seconds = time.perf_counter() - stopping
    print(f"  {seconds:.2f} s, {megabytes:.0f} MB, stopped in {stop_seconds:.2f} s", flush=True)
    return seconds, megabytes, stop_seconds


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_taken(port: int) -> bool:
    """Return whether an event was accepted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/event", EVENT)
        return connection.getresponse().status == 200
    return False


def memory_mb(pid: int) -> float:
    """Return the proportional memory of a process and its children: shared pages count once. Linux."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(proportional_kb(member) for member in family) / 1024


def proportional_kb(pid: int) -> int:
    """Return a process' share of memory, from /proc."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
