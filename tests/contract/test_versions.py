"""The oldest and the newest Panel that are allowed hold what we take for granted; `make versions` asks all of them.

All other tests run on the one Panel and the one Python of `.venv`.
"""

from __future__ import annotations

import sys

import pytest
from versions import Pair, allowed_minors, allowed_panels, environment, here, panels_of, python_of, run_tests, told

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

# What is private to Panel, then a server of another's app, and a reload of ours.
CONTRACT = (
    "tests/contract/test_panel_internals.py",
    "tests/integration/test_serve_others.py::test_another_app_gets_no_route_no_child_and_no_folder",
    "tests/integration/test_serve_others.py::test_a_reload_in_dev_mode_keeps_valkey_and_what_is_under_way",
)


def pairs_here() -> list[Pair]:
    return [Pair(minor, panel) for minor in allowed_minors() if python_of(minor) for panel in panels_of(minor)]


def best(pairs: list[Pair], *, newest: bool) -> Pair:
    """Return the pair with the oldest or newest Panel: with the Python of this process if it can be had so."""
    end = (max if newest else min)(pair.panel for pair in pairs)
    able = [pair for pair in pairs if pair.panel == end]
    return next((pair for pair in able if pair == here()), able[-1])


def test_the_panel_of_this_environment_is_one_that_is_allowed_and_found():
    found = ", ".join(map(str, panels_of(here().minor)))
    print(f"panel{allowed_panels()} on Python 3.{here().minor}: pip finds {found}; installed is {here().panel}")
    assert here().panel in panels_of(here().minor)


@pytest.mark.parametrize("end", ["oldest", "newest"])
def test_the_oldest_and_the_newest_panel_keep_the_contract(end: str):
    pair = best(pairs_here(), newest=end == "newest")
    if pair == here():
        pytest.skip(f"{pair}: the {end} allowed that this machine can have is what all other tests run on")
    keeps_the_contract(pair)


def test_the_newest_other_python_keeps_the_contract():
    others = [pair for pair in pairs_here() if pair.minor != sys.version_info[1]]
    if not others:
        wanted = ", ".join(f"3.{minor}" for minor in allowed_minors() if minor != sys.version_info[1])
        pytest.skip(f"no other supported Python ({wanted}) is on the PATH or in pyenv")
    pair = max(others)
    if pair == best(pairs_here(), newest=True):
        pytest.skip(f"{pair}: asked already, for the newest Panel")
    keeps_the_contract(pair)


def keeps_the_contract(pair: Pair) -> None:
    python = environment(pair)
    print(told(python))
    done = run_tests(python, *CONTRACT)
    assert done.returncode == 0, f"{pair}:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
