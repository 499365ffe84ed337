from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from glimpse.server.threads import give_way_soon


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize(("before", "after"), [(0.005, 0.0005), (0.0001, 0.0001)])
def test_a_thread_gives_way_within_half_a_millisecond_or_as_soon_as_it_did(before: float, after: float):
    sys.setswitchinterval(before)
    give_way_soon()
    assert sys.getswitchinterval() == pytest.approx(after)
