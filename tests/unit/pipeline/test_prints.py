from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glimpse.pipeline.prints import Prints, prints_of


def _id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


IDS = st.integers(0, 300).map(_id)


def _found(prints: Prints, wanted: Sequence[str]) -> list[str]:
    return [one for one, is_there in zip(wanted, prints.find(wanted), strict=True) if is_there]


@given(
    older=st.lists(st.lists(IDS, max_size=30), max_size=5),
    batches=st.lists(st.lists(IDS, max_size=30), max_size=30),
    wanted=st.lists(IDS),
)
def test_every_id_received_since_the_prints_are_complete_is_found_and_none_that_never_came(
    older: list[list[str]], batches: list[list[str]], wanted: list[str]
):
    prints, received = Prints(loose=8, a_lot=20, most_lots=2), dict[str, int]()
    waiting, complete_since = list(enumerate(older, start=1)), len(older)
    for now, batch in enumerate(batches, start=len(older) + 1):
        prints.add(batch, now)
        received |= dict.fromkeys(batch, now)
        if waiting:
            before, piece = waiting.pop()
            if prints.add_older(np.sort(prints_of(piece)), before):
                complete_since = before - 1
                received = dict.fromkeys(piece, before) | received
            else:
                waiting = []
    found = set(_found(prints, wanted))
    complete_since = max(complete_since, prints.complete_since)
    assert found >= {one for one in wanted if received.get(one, 0) > complete_since}
    assert found <= received.keys()


def test_what_is_kept_is_bounded_and_says_since_when_it_is_complete():
    prints = Prints(loose=10, a_lot=20, most_lots=2)
    for now in range(1, 1001):
        prints.add([_id(now)], now)
    kept = _found(prints, [_id(now) for now in range(1, 1001)])
    assert len(kept) == 1000 - prints.complete_since <= 50


def test_prints_of_what_the_store_gives_are_those_of_the_ids_as_text():
    ids = [_id(number) for number in range(100)]
    assert prints_of(np.array(ids, "S36")).tolist() == prints_of(f"{one} shop" for one in ids).tolist()
    assert len(set(prints_of(ids).tolist())) == 100
