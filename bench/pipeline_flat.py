"""Whether an event costs the same with many stored and with many sessions open: `python bench/pipeline_flat.py`.

The same backlog is drained into an empty store and into one with a million events and more; and beside a hundred
to a hundred thousand sessions that are open. Printed: processor time an event, each beside the first. The bar is 15 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from statistics import median

from contest.drains import Drained, drain_glimpse

from glimpse.store import DuckStore

MOST_APART = 1.15
_SEEDS = count(1)  # no event may come twice: it would be a duplicate
SESSIONS = (100, 1_000, 10_000, 100_000)
# One stored event many times over, each with an id and a session of its own, spread over the 30 days before.
_MULTIPLY = """
    INSERT INTO events BY NAME
    SELECT few.* REPLACE (
        uuid() AS id,
        uuid() AS session_id,
        (few.time - to_seconds(n * 86400.0 * 30 / $lots)) AS time,
        (few.received_at - to_seconds(n * 86400.0 * 30 / $lots)) AS received_at
    )
    FROM (SELECT * FROM events LIMIT 1000) few, range($lots, 0, -1) numbers(n)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="in each backlog")
    parser.add_argument("--stored", type=int, default=[1_000_000, 5_000_000], nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.events, options.rounds, options.stored = options.events // 5, 1, [1_000_000]
    with tempfile.TemporaryDirectory(prefix="glimpse-bench-") as folder:
        stored = _by_stored(options, Path(folder))
    by_sessions = {f"{n:,} sessions open": _drained(options, "--live", str(n)) for n in SESSIONS}
    return 0 if _show("by what is stored", stored) & _show("by what is open", by_sessions) else 1


def _by_stored(options: argparse.Namespace, folder: Path) -> dict[str, Sequence[Drained]]:
    found: dict[str, Sequence[Drained]] = {}
    flags = ("--store", str(folder))
    _drained(options, *flags)  # so that there is something to multiply
    for target in options.stored:
        _grow(folder, target)
        found[f"{target:,} events stored"] = _drained(options, *flags)
    return found


def _drained(options: argparse.Namespace, *flags: str) -> list[Drained]:
    return [drain_glimpse(options.events, "--seed", str(next(_SEEDS)), *flags) for _ in range(options.rounds)]


def _grow(folder: Path, target: int) -> None:
    store = DuckStore.open(folder)
    cursor = store.reader()
    (there,) = cursor.execute("SELECT count(*) FROM events").fetchone() or (0,)
    cursor.execute(_MULTIPLY, {"lots": max(1, target - there) // 1000})
    store.close()


def _show(title: str, found: dict[str, Sequence[Drained]]) -> bool:
    print(f"\n{title:<28}{'µs an event':>12}{'of the first':>14}{'events/s':>10}")
    costs = [median(drained.drain_us for drained in rounds) for rounds in found.values()]
    for (name, rounds), cost in zip(found.items(), costs, strict=True):
        rate = median(drained.rate for drained in rounds)
        print(f"{name:<28}{cost:>12.1f}{cost / costs[0]:>14.2f}{rate:>10,.0f}")
    is_flat = max(costs) <= MOST_APART * min(costs)
    print(f"  {'kept' if is_flat else 'MISSED'}: within {MOST_APART - 1:.0%}")
    return is_flat


if __name__ == "__main__":
    sys.exit(main())
