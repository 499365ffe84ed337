"""Presence against visitors of whom it is known who is there; `bench/presence.py` does the same with 10,000."""

from __future__ import annotations

from random import Random

import pytest
from visitors_told import Comparison, compare, everything_said, truth_of


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(1_500, over_s=200, seconds=700)


def test_the_active_and_idle_counts_are_right_at_each_second(found: Comparison):
    assert len(found.deviations) == 1_400
    assert [off for off in found.deviations if not off.is_within_bounds] == []


def test_who_has_said_farewell_on_every_page_is_gone_in_five_seconds(found: Comparison):
    assert found.stayed == []


def test_the_simulation_has_many_of_each(found: Comparison):
    """Else the tests above would say little."""
    most = {kind: max(off.truth for off in found.deviations if off.kind == kind) for kind in ("active", "idle")}
    assert most["active"] > 500
    assert most["idle"] > 150
    assert found.events > 20_000


def test_the_truth_is_what_the_rules_of_presence_say_of_one_visitor():
    told = next(told for told in everything_said(50, 1, Random(3)) if len(told) == 2 and told[1].name == "page_leave")
    stays_ms = told[1].at - told[0].at
    assert sum(truth_of([told], 400)["active"]) == pytest.approx(stays_ms / 1000, abs=1)
    assert sum(truth_of([told[:1]], 400)["active"]) == 30
    assert sum(truth_of([told[:1]], 400)["idle"]) == 270
