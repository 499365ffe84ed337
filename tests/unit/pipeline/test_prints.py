from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glimpse.pipeline.prints import Prints

IDS = st.integers(0, 300).map(str)


@given(batches=st.lists(st.lists(IDS, max_size=30), max_size=30), wanted=st.lists(IDS, unique=True))
def test_every_id_received_since_the_prints_are_complete_is_found_and_none_that_never_came(
    batches: list[list[str]], wanted: list[str]
):
    prints, received = Prints(loose=8, a_lot=20, most_lots=2), dict[str, int]()
    for now, batch in enumerate(batches, start=1):
        prints.add(batch, now)
        received |= dict.fromkeys(batch, now)
    found = set(prints.find(wanted))
    assert found >= {one for one in wanted if received.get(one, 0) > prints.complete_since}
    assert found <= received.keys()


def test_what_is_kept_is_bounded_and_says_since_when_it_is_complete():
    prints = Prints(loose=10, a_lot=20, most_lots=2)
    for now in range(1, 1001):
        prints.add([str(now)], now)
    kept = prints.find([str(now) for now in range(1, 1001)])
    assert len(kept) == 1000 - prints.complete_since <= 50
