"""Send whatever nobody wants: `python bench/fuzz.py`; 100,000 bodies in this process, 5,000 raw requests over sockets.

Aims: no crash, no server error, at most 20 MB more memory, the slowest answer below 250 ms. A failure is printed with
its seed and number: `--seed 7 --only 1234` sends that one again.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import itertools
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import uvloop
from any_requests import AnyRequest, Heard, RawRequest, Requests, answer, hear, raw_request
from contest.contenders import Collect, PanelEdge
from contest.machine import processes_of
from contest.server import Server
from edge_site import EdgeSite, Logged, edge_site, logged_errors, on_the_collector
from tqdm import tqdm

from glimpse.clock import steady_now_ms
from glimpse.settings import Settings

MOST_GROWTH_MB, MOST_SECONDS = 20.0, 0.25
WARM_UP = 0.2  # the share of requests after which memory is looked at first: caches are full then
TRIES = 4  # of what was slow, or not confirmed by Redis in time, on a machine that was busy with something else
UNCONFIRMED = 503
AT_ONCE = 16
PATIENCE_S, SHORT_PATIENCE_S = 5.0, 0.3
GENERATED_VALUES = 1000
SHOWN_FAILURES, SHOWN_BYTES = 10, 2000
SETTINGS = Settings(buffer_high_mark=10**8)  # nothing drains before the end


class Report:
    """What one part saw."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.statuses: Counter[str] = Counter()
        self.slowest = (0.0, -1)  # seconds, number
        self.growth_mb = 0.0
        self.failures: list[str] = []

    def count(self, status: int | None, seconds: float, number: int) -> None:
        """Take one answer."""
        said = "waits" if status is None else f"{status // 100}xx" if status else "closed"
        self.statuses[said] += 1
        if status is not None:
            self.slowest = max(self.slowest, (seconds, number))

    def fail(self, why: object, what: NamedTuple) -> None:
        """Keep a failure, the first few in full."""
        shown = repr(what)[:SHOWN_BYTES] if len(self.failures) < SHOWN_FAILURES else "…"
        self.failures.append(f"{why}\n    {shown}")

    def judge(self) -> None:
        """Hold it to the aims."""
        if self.growth_mb > MOST_GROWTH_MB:
            self.failures.append(f"memory grew by {self.growth_mb:.1f} MB; at most {MOST_GROWTH_MB:.0f} are allowed")
        if self.slowest[0] >= MOST_SECONDS:
            seconds, number = self.slowest
            self.failures.append(
                f"number {number} took {1000 * seconds:.0f} ms; {1000 * MOST_SECONDS:.0f} are too many"
            )

    def line(self) -> str:
        """Return it as a row of the table."""
        said = ", ".join(f"{self.statuses[kind]:,} {kind}" for kind in sorted(self.statuses))
        figures = f"{1000 * self.slowest[0]:>7.1f} ms {self.growth_mb:>+6.1f} MB {len(self.failures):>5}"
        return f"{self.name:<28} {self.statuses.total():>8,} {figures}   {said}"


# -- in this process --------------------------------------------------------------------------------------------------


async def in_process(requests: Requests, numbers: range) -> Report:
    """Give requests to the edge, and have what it took drained and stored at the end."""
    report, warm = Report("in process"), numbers.start + int(WARM_UP * len(numbers))
    before = 0.0
    with logged_errors() as logged:
        async with edge_site(on_the_collector, steady_now_ms, SETTINGS) as site:
            for number in _shown(numbers, report.name):
                if number == warm:
                    before = _own_memory_mb()
                await _give(site, requests.make(number), report, logged)
            report.growth_mb = _own_memory_mb() - before
            await _balance(site, report)
    report.failures += [f"logged: {line}" for line in logged.lines[:SHOWN_FAILURES]]
    report.judge()
    return report


async def _give(site: EdgeSite, made: AnyRequest, report: Report, logged: Logged) -> None:
    try:
        status, seconds = await _tried(lambda: _timed(site, made))
    except Exception:  # noqa: BLE001 - that is what is looked for
        report.fail(traceback.format_exc(limit=-3), made)
        return
    report.count(status, seconds, made.number)
    if (status or 0) >= 500 or logged.lines:
        report.fail(f"{status} {logged.lines}", made)
        logged.lines.clear()


async def _tried(send: Callable[[], Awaitable[tuple[int | None, float]]]) -> tuple[int | None, float]:
    """Send until it was quick and confirmed, or often enough; return the best."""
    best = await send()
    for _ in range(TRIES):
        status, seconds = best
        if status is None or (seconds < MOST_SECONDS and status != UNCONFIRMED):
            break
        best = min(best, await send(), key=lambda said: (said[0] == UNCONFIRMED, said[1]))
    return best


async def _timed(site: EdgeSite, made: AnyRequest) -> tuple[int | None, float]:
    began = time.perf_counter()
    given = await answer(site.edge, site.settings, made)
    return given.status, time.perf_counter() - began


async def _balance(site: EdgeSite, report: Report) -> None:
    """Drain everything: what was taken is stored or a duplicate, nothing was set aside."""
    await site.drained()
    counted = await site.counted()
    if sum(counted.values()) != site.edge.metrics.accepted or "dead_lettered" in counted:
        report.failures.append(f"{site.edge.metrics.accepted:,} events were taken; the store says {counted}")


def _own_memory_mb() -> float:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what large bodies have left behind, and nobody holds
    return _held_mb(os.getpid())


def _held_mb(pid: int) -> float:
    """Return what a process holds of its own, not what it has mapped of files (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


# -- over sockets -----------------------------------------------------------------------------------------------------


async def over_sockets(server: Server, requests: Requests, numbers: range) -> Report:
    """Send raw requests to a server in a process of its own, some at once."""
    report, warm = Report(server.name), numbers.start + int(WARM_UP * len(numbers))
    before, queue = 0.0, iter(_shown(numbers, server.name))
    while batch := list(itertools.islice(queue, AT_ONCE)):
        if not before and batch[0] >= warm:
            before = _memory_of(server)
        raws = [raw_request(requests.make(number), requests.seed) for number in batch]
        for raw, heard in zip(raws, await asyncio.gather(*(_say(server, raw) for raw in raws)), strict=True):
            await _note(server, raw, heard, report)
    report.growth_mb = _memory_of(server) - before
    said = (server.folder / "log").read_text(errors="replace")
    if "Traceback" in said or "ERROR" in said:
        report.failures.append(f"it logged:\n{said[-SHOWN_BYTES:]}")
    report.judge()
    return report


async def _say(server: Server, raw: RawRequest) -> Heard:
    try:
        return await hear(server.port, raw.words, PATIENCE_S if raw.is_http else SHORT_PATIENCE_S)
    except OSError:  # it takes no connection
        return Heard(599, 0.0)


async def _note(server: Server, raw: RawRequest, heard: Heard, report: Report) -> None:
    status, seconds = heard
    if status is not None and (seconds >= MOST_SECONDS or status == UNCONFIRMED):
        status, seconds = await _tried(lambda: _say(server, raw))
    report.count(status, seconds, raw.number)
    if (status or 0) >= 500 or (raw.is_http and not status):
        report.fail(f"{status} after {seconds:.2f} s", raw)


def _memory_of(server: Server) -> float:
    return sum(_held_mb(pid) for pid in processes_of(server.pid))


# -- all --------------------------------------------------------------------------------------------------------------


def _shown(numbers: range, name: str) -> Iterable[int]:
    return tqdm(numbers, name, leave=False, disable=None)


def reports(options: argparse.Namespace) -> Iterator[Report]:
    """Run all parts."""
    requests = Requests(options.seed, GENERATED_VALUES)
    first = options.only or 0
    bodies, raw = (range(first, first + (1 if options.only is not None else n)) for n in (options.bodies, options.raw))
    yield uvloop.run(in_process(requests, bodies))
    for kind in (Collect, PanelEdge):
        with tempfile.TemporaryDirectory(prefix="glimpse-fuzz-") as folder, kind(Path(folder)) as server:
            yield uvloop.run(over_sockets(server, requests, raw))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="default: any")
    parser.add_argument("--bodies", type=int, default=100_000, help="in this process (default: 100,000)")
    parser.add_argument("--raw", type=int, default=5000, help="over sockets, to each server (default: 5,000)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="just this one, of the seed")
    options = parser.parse_args()
    print(f"seed {options.seed}\n{'where':<28} {'requests':>8} {'slowest':>10} {'memory':>9} {'faults':>5}   answers")
    failures: list[Any] = []
    for report in reports(options):
        print(report.line(), flush=True)
        failures += [f"{report.name}: {failure}" for failure in report.failures]
    print("\n".join(failures) or "Nothing failed.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
