from __future__ import annotations

import pytest

from glimpse.events import MOST_ENGAGED_MS, Event


@pytest.mark.parametrize(
    ("claimed", "understood"),
    [(9_000, 9_000), (1.5, 1), (-4, 0), (1e308, MOST_ENGAGED_MS), ("long", 0), (None, 0)],
)
def test_the_engaged_time_is_what_the_client_claims_within_reason(claimed: object, understood: int):
    event = Event(id="1", project="shop", name="page_leave", time=0, received_at=0, properties={"engagedMs": claimed})
    assert event.engaged_ms == understood


def test_an_event_that_claims_no_engaged_time_has_none():
    assert Event(id="1", project="shop", name="page_leave", time=0, received_at=0).engaged_ms == 0
