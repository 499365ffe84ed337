"""Run the suites on every allowed Python that this machine has, with every allowed Panel that pip finds for it.

``make versions``. Exits 1 when a pair fails; what could not be tried is named with its reason.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from versions import (
    Pair,
    allowed_minors,
    allowed_panels,
    environment,
    found_panels,
    panels_of,
    python_of,
    run_tests,
    told,
)

SUITES = (
    "tests/contract/test_panel_internals.py",
    "tests/contract/test_docs.py",
    "tests/unit",
    "tests/integration",
)
_SHOWN = ("bokeh", "holoviews", "geoviews", "cartopy", "tornado")


def main() -> int:
    print(f"Allowed: panel{allowed_panels()} on Python {', '.join(f'3.{minor}' for minor in allowed_minors())}")
    passed = [held(pair) for pair in pairs()]
    beyond = sorted({panel for minor in allowed_minors() for panel in found_panels(minor) if is_newer(minor, panel)})
    print(f"Newer than what is allowed: {', '.join(map(str, beyond)) or 'none'}")
    print(f"{passed.count(True)} passed, {passed.count(False)} failed")
    return 0 if passed and all(passed) else 1


def pairs() -> list[Pair]:
    every = {panel for minor in allowed_minors() for panel in panels_of(minor)}
    able: list[Pair] = []
    for minor in allowed_minors():
        if not python_of(minor):
            print(f"Python 3.{minor}: skipped, it is neither on the PATH nor in pyenv")
            continue
        able += [Pair(minor, panel) for panel in panels_of(minor)]
        for panel in sorted(every.difference(panels_of(minor))):
            print(f"Python 3.{minor}, Panel {panel}: skipped, there is no such Panel for this Python")
    return able


def is_newer(minor: int, panel: object) -> bool:
    return panel > panels_of(minor)[-1]  # type: ignore[operator]


def held(pair: Pair) -> bool:
    """Run the suites on a pair, print how it went, and return whether all passed."""
    began = time.monotonic()
    python = environment(pair)
    made = time.monotonic()
    done = run_tests(python, *SUITES)
    has = told(python)
    beside = ", ".join(f"{name} {has[name]}" for name in _SHOWN)
    said = done.stdout.strip().splitlines()[-1:] or ["nothing"]
    print(
        f"Python {has['python']}, Panel {has['panel']} ({beside}; made in {made - began:.0f} s): {said[0]}", flush=True
    )
    if done.returncode:
        print(done.stdout[-8000:], done.stderr[-2000:], sep="\n", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
