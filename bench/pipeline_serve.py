"""One `panel serve` process that takes, drains, stores and shows: 15,000 events a second in batches of 20.

`python bench/pipeline_serve.py`: for a minute, by the clock, with five viewers. Printed: what came through to the
store, the 99th percentile of the answers, and how often each viewer was sent something.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from contest.sustained import PanelServe, sustain

RATE, A_BATCH, MOST_P99_MS, VIEWERS = 15_000, 20, 50.0, 5
LEAST_RATE = 0.97 * RATE  # its last second counts the wait until the last event is stored
LEAST_REFRESHES_S = 1.0
VIEWERS_SCRIPT = Path(__file__).parent / "viewers.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=RATE, help="events a second")
    parser.add_argument("--quick", action="store_true", help="for 10 seconds")
    options = parser.parse_args()
    seconds = 10.0 if options.quick else options.seconds
    with tempfile.TemporaryDirectory(prefix="glimpse-bench-") as folder, PanelServe(Path(folder)) as server:
        sustain(server, 2, "twenty", options.rate / A_BATCH / 3)  # views are imported, first pages are made
        told = ["--url", f"http://127.0.0.1:{server.port}", "--project", "shop"]
        told += ["--viewers", str(VIEWERS), "--seconds", str(seconds)]
        command = [sys.executable, str(VIEWERS_SCRIPT), *told]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as viewers:
            assert viewers.stdout
            viewers.stdout.readline()  # all are there
            seen = sustain(server, seconds, "twenty", options.rate / A_BATCH)
            said, _ = viewers.communicate(timeout=60)
    refreshes = [count / seconds for count in json.loads(said)]
    shares = ", ".join(f"{who} {share:.0%}" for who, share in seen.shares.items())
    print(f"\none panel serve, {options.rate:,.0f} events a second in batches of {A_BATCH} for {seconds:.0f} s")
    print(f"  stored {seen.rate:,.0f} a second, p99 of the answers {seen.p99_ms:.1f} ms; of a core: {shares}")
    print(f"  each viewer was sent {min(refreshes):.1f} to {max(refreshes):.1f} changes a second")
    if seen.problem:
        print(f"  NOT COUNTED: {seen.problem}")
    is_kept = (
        not seen.problem
        and seen.rate >= LEAST_RATE * options.rate / RATE
        and seen.p99_ms < MOST_P99_MS
        and min(refreshes) >= LEAST_REFRESHES_S
    )
    print(f"  {'kept' if is_kept else 'MISSED'}: stored in time, p99 below {MOST_P99_MS:.0f} ms, viewers refreshed")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
