"""What another tracker counted is shown beside what Glimpse counted, and never among it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest

from glimpse.events import ImportedTotal
from glimpse.filters import parse
from glimpse.store import DuckStore, LocalQueries, Lot
from glimpse.views.overview import Overview
from glimpse.views.scope import Scope

DAY_MS = 86_400_000
FIRST = 1_772_323_200_000  # 2026-03-01
SPAN = Scope("shop", FIRST, FIRST + 40 * DAY_MS, tz="America/New_York")


class NoBooks:
    async def counts(self, _: str) -> dict[str, dict[str, int]]:
        return {}

    async def waiting(self, *_: Any) -> int:
        return 0


def total(day: int, project: str = "shop") -> ImportedTotal:
    at = FIRST + day * DAY_MS
    known = {"visitors": 10, "visits": 12, "page_views": 30}
    value = f"2026-03-{day + 1:02}"
    return ImportedTotal(
        project=project,
        origin="plausible",
        dimension="day",
        day=at,
        id=str(uuid5(NAMESPACE_DNS, f"{project} {day}")),
        value=value,
        **known,
    )


@pytest.fixture
async def overview(tmp_path: Path) -> AsyncIterator[Overview]:
    store = DuckStore.open(tmp_path)
    store.commit(Lot(totals=[*(total(day) for day in range(3)), total(0, "blog")]))
    queries = LocalQueries(store, NoBooks())

    async def ask(question: str, scope: Scope, **arguments: Any) -> list[dict[str, Any]]:
        span: Any = {"project": scope.project, "since": scope.since, "until": scope.until, "where": scope.where}
        return await queries.ask(question, **span, **arguments)

    yield Overview(ask, SPAN)
    queries.close()
    store.close()


async def test_imported_days_are_told_with_who_counted_them_and_are_in_no_total(overview: Overview):
    answer = await overview._answer(SPAN)
    assert set(answer["now"]["totals"].values()) == {0}
    assert not any(sum(step[1:]) for step in answer["now"]["steps"])
    shown = answer["imported"]
    assert (shown["origins"], shown["first"], shown["last"]) == (["plausible"], "2026-03-01", "2026-03-03")
    assert (shown["visitors"], shown["visits"], shown["page_views"]) == (30, 36, 90)
    times = [step[0] for step in answer["now"]["steps"]]
    assert [step[0] for step in shown["steps"]] == times[1:4]  # the days of the zone that is shown
    assert [step[1:] for step in shown["steps"]] == [[12, 30, 0]] * 3


async def test_days_are_summed_into_longer_steps_and_not_drawn_in_shorter_ones(overview: Overview):
    weeks = await overview._answer(replace(SPAN, since=FIRST - 200 * DAY_MS))
    assert [step[1:] for step in weeks["imported"]["steps"]] == [
        [12, 30, 0],
        [24, 60, 0],
    ]  # a Sunday, and two days after
    hours = await overview._answer(replace(SPAN, until=FIRST + 2 * DAY_MS))
    assert (hours["imported"]["visits"], hours["imported"]["steps"]) == (24, [])


async def test_through_a_filter_they_are_left_out_and_without_any_nothing_is_said(overview: Overview):
    filtered = await overview._answer(replace(SPAN, where=parse('country = "DE"')))
    assert (filtered["imported"]["is_left_out"], filtered["imported"]["steps"]) == (True, [])
    assert (await overview._answer(replace(SPAN, since=FIRST + 9 * DAY_MS)))["imported"] is None
