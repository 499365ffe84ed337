"""The machine of a contest: its cores, how busy they are, and what a process takes of it. Linux."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

SERVER_CORE, OTHER_CORE = 0, 1
QUIET = 0.85  # of all cores' time that nobody uses
_LOOK_S = 0.25


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Bind what is started here to a core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core} & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def wait_until_quiet(most_s: float) -> bool:
    """Wait until the machine does little else; return whether it does."""
    deadline = time.monotonic() + most_s
    while _idle_share() < QUIET:
        if time.monotonic() > deadline:
            return False
    return True


def _idle_share() -> float:
    idle, total = _idle_and_total()
    time.sleep(_LOOK_S)
    idle_later, total_later = _idle_and_total()
    return (idle_later - idle) / max(1, total_later - total)


def _idle_and_total() -> tuple[int, int]:
    ticks = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    return ticks[3] + ticks[4], sum(ticks)


def processes_of(pid: int) -> list[int]:
    """Return a process and all that it has started, oldest first."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def memory_mb(pid: int) -> float:
    """Return a process' share of memory: what it shares with others counts in parts (Linux)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has had, in its code and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
