"""Who is there, by the window, against 10,000 simulated visitors of whom it is known.

``python bench/presence.py --visitors 10000``. No server and no real time: what a network would bring, late and out of
order and by clocks that are off, goes through the session tracker and the window second by second. Exits 1 when the
active or the idle count is off by more than 1 % at any second (or by more than the dozen that may be under way while
few are there), or somebody stays for more than 5 s after the farewell of their last page.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from visitors_told import Comparison, Deviation, compare

MANY = 1_000


def worst_of(found: Comparison, kind: str) -> Deviation:
    """Return the second at which a count was most wrong, in per cent, while many were there."""
    many = [off for off in found.deviations if off.kind == kind and off.truth >= MANY]
    return max(many or found.deviations, key=lambda off: abs(off.shown - off.truth) / max(1, off.truth))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=10_000, help="how many come (default: 10,000)")
    parser.add_argument("--over", type=int, default=600, help="within so many seconds (default: 600)")
    parser.add_argument("--seconds", type=int, default=1_500, help="for so long they are watched (default: 1,500)")
    parser.add_argument("--seed", type=int, default=1, help="other visitors with another (default: 1)")
    options = parser.parse_args()
    began = time.perf_counter()
    found = compare(options.visitors, over_s=options.over, seconds=options.seconds, seed=options.seed)
    print(f"{found.events:,} events of {options.visitors:,} visitors in {time.perf_counter() - began:.1f} s")
    for kind in ("active", "idle"):
        off = worst_of(found, kind)
        share = 100 * abs(off.shown - off.truth) / max(1, off.truth)
        print(f"{kind:7} worst at second {off.second}: {off.shown:,} shown, {off.truth:,} are: {share:.2f} % off")
    wrong = [off for off in found.deviations if not off.is_within_bounds]
    print(f"seconds out of bounds: {len(wrong)}; still there 5 s after their last farewell: {len(found.stayed)}")
    return 1 if wrong or found.stayed else 0


if __name__ == "__main__":
    sys.exit(main())
