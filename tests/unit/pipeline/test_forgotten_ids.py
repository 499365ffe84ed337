"""Ids that are remembered no more: who comes again all the same, and of whom the store is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import admitted

from glimpse.events import AdmittedEvent, Event
from glimpse.pipeline.duplicates import CLOCK_SLACK_MS, Duplicates, Pair
from glimpse.pipeline.prints import Prints

NOW = 1_772_323_200_000


@pytest.fixture(autouse=True, scope="module")
def _few_ids_go_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glimpse.pipeline.duplicates.A_BATCH", 2)
        yield


class Stored:
    """What the store has, and what it was asked."""

    def __init__(self) -> None:
        self.pairs: set[Pair] = set()
        self.asked: list[Pair] = []

    async def known(self, pairs: Sequence[Pair], _since: int) -> set[Pair]:
        self.asked += pairs
        return self.pairs.intersection(pairs)


async def take(duplicates: Duplicates, stored: Stored, events: Sequence[AdmittedEvent]) -> list[str]:
    """Let events come in at the time of the last of them; return the ids of those that are new."""
    fresh, _ = await duplicates.without(events, NOW)
    received_at = max(event.received_at for event in events)
    rows = [Event(id=e.id, project=e.project, name=e.name, time=e.time, received_at=received_at) for e in fresh]
    stored.pairs.update((row.project, row.id) for row in rows)
    duplicates.add(rows)
    return [row.id for row in rows]


async def take_more(duplicates: Duplicates, stored: Stored) -> None:
    for n in range(0, 100, 5):
        await take(duplicates, stored, [admitted(at=NOW + n + m) for m in range(5)])


async def test_of_more_events_a_minute_than_ids_are_remembered_the_store_is_asked_for_none():
    stored = Stored()
    duplicates = Duplicates(stored.known, most=50)
    for second in range(30):
        await take(duplicates, stored, [admitted(at=NOW + second * 1000 + n) for n in range(100)])
    assert len(stored.pairs) == 3000
    assert stored.asked == []


async def of_one_there_is_a_print() -> tuple[Stored, Duplicates, AdmittedEvent]:
    """Return a memory that has let go of an event's id, and that event."""
    stored = Stored()
    duplicates = Duplicates(stored.known, most=50)
    first = admitted(at=NOW)
    await take(duplicates, stored, [first])
    await take_more(duplicates, stored)
    return stored, duplicates, first


async def test_an_event_that_comes_again_after_its_id_is_remembered_no_more_is_asked_for_and_left_out():
    stored, duplicates, first = await of_one_there_is_a_print()
    second = admitted(at=NOW + 100)
    assert await take(duplicates, stored, [first, second]) == [second.id]
    assert stored.asked == [("shop", first.id)]


async def test_an_event_that_was_not_stored_after_all_may_come_again_also_when_its_print_is_there():
    stored, duplicates, first = await of_one_there_is_a_print()
    stored.pairs.discard(("shop", first.id))
    duplicates.forget(("shop", first.id))
    assert await take(duplicates, stored, [first]) == [first.id]


@given(
    comings=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 40_000), st.integers(-CLOCK_SLACK_MS, CLOCK_SLACK_MS)),
        max_size=80,
    )
)
async def test_each_id_is_taken_once_whatever_is_forgotten_between_its_comings(comings: list[tuple[int, int, int]]):
    stored, now, claimed, taken = Stored(), NOW, dict[int, AdmittedEvent](), list[str]()
    duplicates = Duplicates(stored.known, most=3, prints=Prints(loose=2, a_lot=4, most_lots=2))
    for number, passed, ahead in comings:
        now += passed
        if number not in claimed:
            claimed[number] = admitted(at=now + ahead)
        event = admitted(at=claimed[number].time, id=claimed[number].id, received_at=now)
        taken += await take(duplicates, stored, [event])
    assert sorted(taken) == sorted(event.id for event in claimed.values())
