"""What a drain that has started on a store of events knows of them, and what it need not ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import NOON, admitted, event_of

from glimpse.errors import StoreUnavailable
from glimpse.events import AdmittedEvent
from glimpse.pipeline.duplicates import CLOCK_SLACK_MS, SPAN_MS, Duplicates, Pair
from glimpse.pipeline.prints import Prints
from glimpse.pipeline.recollection import Recollection, Submit
from glimpse.store import DuckStore, IdsSince, Lot

HOUR_MS = 3_600_000
SESSION_ID = "0190c1f3-7a1b-7c3d-9e4f-0123456789ab"


@pytest.fixture(autouse=True, scope="module")
def _pieces_are_small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glimpse.store.store.A_PIECE", 10)
        patch.setattr("glimpse.pipeline.duplicates.A_BATCH", 2)
        yield


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckStore]:
    opened = DuckStore.open(tmp_path)
    yield opened
    opened.close()


def done_at_once(work: Any) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except StoreUnavailable as problem:
        future.set_exception(problem)
    return future


class Started:
    """What a drain remembers that has just started on a store, and what that was asked."""

    def __init__(
        self, store: Any, prints: Prints | None = None, now: int = NOON, submit: Submit = done_at_once
    ) -> None:
        self.asked: list[Pair] = []
        self._store = store
        self.duplicates = Duplicates(self._known, most=3, prints=prints)
        self.duplicates.restore([], now - HOUR_MS // 2)
        self.recollection = Recollection(self.duplicates, store, submit, now)

    async def _known(self, pairs: Sequence[Pair], since_ms: int) -> set[Pair]:
        self.asked += pairs
        return self._store.known_ids(pairs, since_ms)

    def learn_all(self) -> None:
        for _ in range(100):
            self.recollection.go_on()


def hourly(count: int) -> list[AdmittedEvent]:
    """Return events of each hour up to the last, the oldest first."""
    return [admitted(at=NOON - HOUR_MS * n) for n in range(count, 0, -1)]


async def test_of_a_backlog_from_before_the_start_the_store_is_asked_for_what_has_come_before_and_nothing_else(
    store: DuckStore,
):
    before = hourly(40)
    store.commit(Lot([event_of(one, session_id=SESSION_ID) for one in before]))
    started = Started(store)
    started.learn_all()
    assert started.duplicates.complete_since == NOON - SPAN_MS
    backlog = hourly(40)
    fresh, duplicates = await started.duplicates.without([*backlog, before[3], before[30]], NOON)
    assert (fresh, duplicates) == (backlog, {"shop": 2})
    assert started.asked == [("shop", before[3].id), ("shop", before[30].id)]


async def test_the_newest_are_learnt_first_and_the_store_is_asked_for_those_before_until_all_are(store: DuckStore):
    store.commit(Lot([event_of(one, session_id=SESSION_ID) for one in hourly(40)]))
    started = Started(store)
    started.recollection.go_on()
    started.recollection.go_on()
    assert started.duplicates.complete_since == NOON - 10 * HOUR_MS
    backlog = hourly(40)
    assert await started.duplicates.without(backlog, NOON) == (backlog, {})
    assert started.asked == [("shop", one.id) for one in backlog[:31]]


async def test_of_more_than_there_is_room_for_the_newest_are_learnt_and_since_when_is_known(store: DuckStore):
    before = hourly(45)
    store.commit(Lot([event_of(one, session_id=SESSION_ID) for one in before]))
    started = Started(store, Prints(a_lot=10, most_lots=2))
    started.learn_all()
    assert started.duplicates.complete_since == NOON - 20 * HOUR_MS
    assert [piece.since for piece in store.recent_ids(NOON - SPAN_MS, NOON, 25)] == [
        NOON - hours * HOUR_MS for hours in (10, 20, 25)
    ]
    fresh, _ = await started.duplicates.without(before, NOON)
    assert fresh == []


async def test_a_store_that_can_not_give_them_is_asked_as_before(store: DuckStore, caplog: pytest.LogCaptureFixture):
    (before,) = hourly(1)
    store.commit(Lot([event_of(before, session_id=SESSION_ID)]))

    class Away(DuckStore):
        def __init__(self) -> None:  # it has nothing of its own
            pass

        def recent_ids(self, since_ms: int, until_ms: int, most: int) -> Iterator[IdsSince]:
            raise StoreUnavailable("memory full")
            yield from store.recent_ids(since_ms, until_ms, most)

        def known_ids(self, wanted: Sequence[Pair], since_ms: int) -> set[Pair]:
            return store.known_ids(wanted, since_ms)

    started = Started(Away())
    started.learn_all()
    assert "memory full" in caplog.text
    assert await started.duplicates.without([before], NOON) == ([], {"shop": 1})


class Remembering:
    """A store of ids in memory."""

    def __init__(self) -> None:
        self.received: dict[Pair, int] = {}

    def known_ids(self, wanted: Sequence[Pair], since_ms: int) -> set[Pair]:
        return {pair for pair in wanted if self.received.get(pair, -1) >= since_ms}

    def recent_ids(self, since_ms: int, until_ms: int, _most: int) -> Iterator[IdsSince]:
        while until_ms > since_ms:
            began = max(since_ms, until_ms - 12 * HOUR_MS)
            ids = [one for (_, one), at in self.received.items() if began <= at < until_ms]
            yield IdsSince(began, np.array(ids, "S36"))
            until_ms = began


@given(
    comings=st.lists(
        st.tuples(
            st.integers(0, 40),
            st.integers(0, HOUR_MS // 2),
            st.integers(-SPAN_MS // 4, CLOCK_SLACK_MS),
            st.sampled_from(["", "", "learn", "start"]),
        ),
        max_size=80,
    )
)
async def test_each_id_is_taken_once_whenever_the_drain_starts_anew_and_however_far_it_has_learnt(
    comings: list[tuple[int, int, int, str]],
):
    store, now, claimed, taken = Remembering(), NOON, dict[int, AdmittedEvent](), list[str]()
    started = Started(store, Prints(loose=2, a_lot=4, most_lots=3), now)
    for number, passed, ahead, what in comings:
        now += passed
        if what == "start":
            started = Started(store, Prints(loose=2, a_lot=4, most_lots=3), now)
            recent = [pair for pair, at in store.received.items() if at >= now - HOUR_MS // 2]
            rows = [event_of(admitted(id=one, received_at=store.received["shop", one])) for _, one in recent]
            started.duplicates.restore(rows, now - HOUR_MS // 2)
        elif what:
            started.recollection.go_on()
        claim = claimed.setdefault(number, admitted(at=now + ahead))
        fresh, _ = await started.duplicates.without([admitted(at=claim.time, id=claim.id, received_at=now)], now)
        started.duplicates.add([event_of(one, received_at=now) for one in fresh])
        for one in fresh:
            store.received["shop", one.id] = now
            taken.append(one.id)
    assert sorted(taken) == sorted(event.id for event in claimed.values())


async def test_a_piece_that_is_read_when_the_drain_ends_is_waited_for_and_none_is_read_after_it(store: DuckStore):
    store.commit(Lot([event_of(one, session_id=SESSION_ID) for one in hourly(40)]))
    with ThreadPoolExecutor(max_workers=1) as thread:
        is_busy, may_go_on = Event(), Event()

        def read_slowly(work: Any) -> Any:
            is_busy.set()
            may_go_on.wait(5)
            return work()

        started = Started(store, submit=lambda work: thread.submit(read_slowly, work))
        started.recollection.go_on()
        assert is_busy.wait(5)
        closing = asyncio.create_task(started.recollection.close())
        await asyncio.sleep(0)
        assert not closing.done()
        may_go_on.set()
        await closing
    started.learn_all()
    assert started.duplicates.complete_since == NOON - HOUR_MS // 2


async def test_of_an_import_that_was_received_a_moment_ago_one_that_comes_again_is_asked_for(store: DuckStore):
    started, imported = Started(store), admitted(at=NOON - 5 * 60_000)
    row = event_of(imported, session_id=SESSION_ID, received_at=imported.time)
    started.duplicates.expect_stored([row], NOON)
    store.commit(Lot([row]))
    assert await started.duplicates.without([imported], NOON) == ([], {"shop": 1})
