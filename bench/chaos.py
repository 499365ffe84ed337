"""Kill processes at random moments under load, and compare what was acknowledged with what is stored.

``python bench/chaos.py --kills 100 --rate 1000``; part of ``make soak``. On one data folder: `glimpse collect` with
two workers, two `glimpse work` of which one drains, and `panel serve` which shows and collects too. In turn a worker
of the collector, a drain, the Valkey and the whole of `panel serve` get SIGKILL, at moments drawn by chance. The
client sends again what was not acknowledged, with the same ids, and keeps its own record. Exits 1 when an acknowledged
event is missing, any is stored twice, the books don't balance, or the backlog takes longer than 30 s.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import duckdb
from serving import Served, an_event

A_BATCH = 10
CAUGHT_UP_WITHIN_S = 30


class Collecting(Served):
    """One `glimpse collect` with two workers."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.command = [sys.executable, "-m", "glimpse.cli", "collect", "--port", str(self.port), "--workers", "2"]


class Working:
    """One `glimpse work`."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment, self._log = environment, log
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "glimpse.cli", "work"]
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def kill_and_start(self) -> None:
        """Kill it and start another."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> None:
        """Let it end in order."""
        self.process.terminate()
        self.process.wait(30)


class Client(threading.Thread):
    """Sends batches at a rate, each until it is acknowledged, alternating between servers."""

    def __init__(self, servers: list[Served], rate: float) -> None:
        super().__init__()
        self._servers = servers
        self._pause_s = A_BATCH / rate
        self.ended = threading.Event()
        self.acknowledged: list[str] = []
        self.sent: set[str] = set()
        self.failures = 0

    def run(self) -> None:
        """Send until told to end."""
        due, number = time.monotonic(), 0
        while not self.ended.is_set():
            number += 1
            self._send([an_event() for _ in range(A_BATCH)], number)
            due += self._pause_s
            self.ended.wait(max(0, due - time.monotonic()))

    def _send(self, events: list[dict[str, object]], number: int) -> None:
        ids = [str(event["id"]) for event in events]
        self.sent.update(ids)
        while not self.ended.is_set():
            served = self._servers[number % len(self._servers)]
            with contextlib.suppress(OSError, ValueError):
                if served.post(events)[0] == 200:
                    self.acknowledged += ids
                    return
            self.failures += 1
            number += 1
            self.ended.wait(0.05)


def kill_collector(collecting: Served) -> None:
    """Kill one worker; the process that keeps them starts another."""
    assert collecting.process
    shown = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(collecting.process.pid)], capture_output=True, text=True, check=False
    )
    if workers := [int(line.split()[0]) for line in shown.stdout.splitlines() if "collect" in line]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(workers[0], signal.SIGKILL)


def kill_valkey(data_dir: Path) -> None:
    """Kill it; whoever watches it starts it again."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        os.kill(int(next(data_dir.rglob("*.pid")).read_text()), signal.SIGKILL)


def kill_and_start(served: Served) -> None:
    """Kill a whole server and start it again."""
    served.kill()
    served.start(60)


def caught_up(served: Served) -> float | None:
    """Return the seconds until nothing waits in the buffer, None when that takes too long."""
    began = time.monotonic()
    while time.monotonic() - began < CAUGHT_UP_WITHIN_S * 2:
        with contextlib.suppress(OSError, AssertionError, ValueError):
            if served.ledger("shop")["in_buffer"] == 0:
                return time.monotonic() - began
        time.sleep(0.2)
    return None


def faults(client: Client, data_dir: Path, ledger: dict[str, int], backlog_s: float | None) -> list[str]:
    """Return what is wrong, in words."""
    with duckdb.connect(str(data_dir / "glimpse.duckdb"), read_only=True) as store:
        stored = Counter(row[0] for row in store.execute("SELECT id::VARCHAR FROM events").fetchall())
    lost = [name for name in client.acknowledged if not stored[name]]
    doubled = [name for name, times in stored.items() if times > 1]
    foreign = stored.keys() - client.sent
    found = [
        f"acknowledged and lost: {len(lost)}" if lost else "",
        f"stored twice: {len(doubled)}" if doubled else "",
        f"stored and never sent: {len(foreign)}" if foreign else "",
        f"the books are off by {ledger['difference']}" if ledger["difference"] else "",
        "" if backlog_s is not None and backlog_s <= CAUGHT_UP_WITHIN_S else f"the backlog took {backlog_s} s",
    ]
    print(f"{len(client.acknowledged):,} acknowledged, {client.failures:,} tries failed, {stored.total():,} stored")
    return [fault for fault in found if fault]


def run(folder: Path, kills: int, rate: float, seed: int) -> list[str]:
    """Do it, and return what is wrong."""
    data_dir, chance = folder / "data", random.Random(seed)
    collecting, shown = Collecting(data_dir), Served(data_dir, GLIMPSE_DRAIN="0")
    with collecting, shown:
        workers = [Working(collecting.environment, folder / f"work-{number}.log") for number in range(2)]
        client = Client([collecting, shown], rate)
        client.start()
        victims: list[tuple[str, Callable[[], None]]] = [
            ("collector", lambda: kill_collector(collecting)),
            ("drain", lambda: chance.choice(workers).kill_and_start()),
            ("valkey", lambda: kill_valkey(data_dir)),
            ("server", lambda: kill_and_start(shown)),
        ]
        for number in range(kills):
            time.sleep(chance.uniform(0.2, 3))
            name, kill = victims[number % len(victims)]
            kill()
            print(f"{number + 1:4} killed: {name:10} {len(client.acknowledged):10,} acknowledged", flush=True)
        time.sleep(2)
        client.ended.set()
        client.join()
        backlog_s = caught_up(shown)
        ledger = shown.ledger("shop")
        print(ledger, f"backlog gone after {backlog_s} s")
        for worker in workers:
            worker.stop()
    return faults(client, data_dir, ledger, backlog_s)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--rate", type=float, default=1000, help="events a second (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="repeat the moments of an earlier run (default: 1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glimpse-chaos-") as folder:
        found = run(Path(folder), options.kills, options.rate, options.seed)
        if found:
            for log in Path(folder).glob("*.log"):
                print(f"== {log.name}\n{log.read_text(errors='replace')[-3000:]}")
    print("\n".join(found) or "All that was acknowledged is stored, once.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
