"""Live 2,000 page lives under trouble, and print which share of their events is stored, each once.

``python bench/delivery.py [--lives 2000]``; part of ``make soak``. Exits 1 below 99.9 %, or when one is there twice.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from page_lives import deliver
from serving import Served

WANTED = 0.999


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lives", type=int, default=2000)
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    settings = {"GLIMPSE_ALLOW_HEADLESS": "1", "GLIMPSE_FLUSH_INTERVAL_S": "1"}
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder) / "data", **settings) as glimpse:
        found = asyncio.run(deliver(glimpse, given.lives, given.visitors, given.seed))
    print(f"{found.lives:,} page lives made {found.made:,} events: {found.stored:,} are stored ({found.share:.3%})")
    print(f"{found.twice:,} are there more than once; missing: {dict(+found.missing) or 'none'}")
    return 0 if found.share >= WANTED and not found.twice else 1


if __name__ == "__main__":
    sys.exit(main())
