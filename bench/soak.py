"""Hold a rate for long, and watch: memory, the drain's lag, and whether the books agree with the sender's own.

``make soak ARGS="--minutes 60 --rate 500"``. Exits 1 when an event is missing or counted twice, or memory grows on.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from serving import Served

from glimpse.traffic.sender import Account
from glimpse.traffic.simulate import Simulation, simulate

PROJECT = "soak"
SETTLED_WITHIN_S = 30
GROWTH_MB_PER_HOUR = 60  # the store's own caches fill; what leaks grows faster


class Sample(NamedTuple):
    """The server at one moment."""

    minute: float
    memory_mb: float
    stored: int
    in_buffer: int


def sample(served: Served, started: float) -> Sample:
    """Look at the server, and print it."""
    assert served.process
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    memory_kb = int(status.partition("VmRSS:")[2].split()[0])
    ledger = served.ledger(PROJECT)
    seen = Sample((time.monotonic() - started) / 60, memory_kb / 1024, ledger["stored"], ledger["in_buffer"])
    print(f"{seen.minute:7.1f} min {seen.memory_mb:8.1f} MB {seen.stored:12,} stored {seen.in_buffer:8,} in buffer")
    return seen


async def run(served: Served, minutes: float, rate: float) -> tuple[Account, list[Sample]]:
    """Send, and look every tenth of the time."""
    started = time.monotonic()
    simulation = Simulation(url=served.url, rate=rate, project=PROJECT, duration_s=minutes * 60)
    sending = asyncio.create_task(simulate(simulation))
    samples = []
    while not sending.done():
        await asyncio.wait([sending], timeout=minutes * 6)
        samples.append(await asyncio.to_thread(sample, served, started))
    report = sending.result()
    print(report)
    return report.account, samples


def settled(served: Served) -> dict[str, Any]:
    """Return the ledger once nothing waits."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while (ledger := served.ledger(PROJECT))["in_buffer"] and time.monotonic() < deadline:
        time.sleep(0.2)
    return ledger


def faults(account: Account, ledger: dict[str, Any], samples: list[Sample]) -> list[str]:
    """Return what is wrong, in words."""
    found = []
    if ledger["difference"] or ledger["in_buffer"]:
        found.append(f"the books don't balance: {ledger}")
    if ledger["stored"] != account.accepted:
        found.append(f"{account.accepted:,} events were acknowledged, {ledger['stored']:,} are stored")
    half, last = samples[len(samples) // 2], samples[-1]
    grown, hours = last.memory_mb - half.memory_mb, (last.minute - half.minute) / 60
    if hours > 0.1 and grown / hours > GROWTH_MB_PER_HOUR:
        found.append(f"memory grew by {grown:.0f} MB in the second half")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--rate", type=float, default=300, help="events a second (default: 300)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glimpse-soak-") as folder, Served(Path(folder) / "data") as served:
        account, samples = asyncio.run(run(served, options.minutes, options.rate))
        ledger = settled(served)
        print(ledger)
        found = faults(account, ledger, samples)
    print("\n".join(found) or "All that was acknowledged is stored, once.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
