"""The most important counts of a span and how they went, if asked for beside those of the span before."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from glimpse.views.address import Choices, heard_tab, said_tab
from glimpse.views.ask import Ask, Rows
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope

NAMES = ("sessions", "page_views", "events")
_AS_IMPORTED = ("visits", "page_views", "events")  # what another tracker calls them
_MOST_DAYS = 100_000
_DRAWN = ("day", "week", "month")  # steps that hold whole days


class OverviewPicture(AskedPicture):
    """The drawing."""

    _esm = script("words", "table", "chart", "overview")
    _stylesheets = style("asked", "chart", "table", "overview")


class Overview(AskedView):
    """Sessions, page views, events and bounce rate, and one of them as a line."""

    can_compare: ClassVar[bool] = True
    alone_styles: ClassVar[dict[str, str]] = {"height": "340px"}

    says = ("line",)

    def __init__(self, ask: Ask, scope: Scope, **params: Any) -> None:
        self._line = NAMES[0]
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return OverviewPicture(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-overview"]

    async def _answer(self, scope: Scope) -> Any:
        asked = [self._counts(scope), *([self._counts(scope.before)] if self.compares else [])]
        imported, (now, *before) = await asyncio.gather(self._imported(scope), asyncio.gather(*asked))
        span = {"since": scope.since, "until": scope.until, "tz": scope.tz, "unit": scope.unit}
        found = imported_of(imported, [step[0] for step in now["steps"]], scope)
        self.layout.css_classes = [*self._classes(), *(["g-imported"] if found else [])]  # which takes a line
        return span | {"line": self._line, "now": now, "before": before[0] if before else None, "imported": found}

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"line": str(line)} if line in NAMES:  # the browser has the steps of all
                self._line = line

    def _said(self) -> dict[str, tuple[str, ...]]:
        return said_tab("line", self._line, NAMES)

    def _hear(self, said: Choices) -> None:
        self._line = heard_tab("line", said, NAMES)

    async def _imported(self, scope: Scope) -> Rows:
        """Ask what other trackers counted of whole days; nothing of it is in any other number."""
        return await self._ask("imported", replace(scope, where=None), dimension="day", top=_MOST_DAYS)

    async def _counts(self, scope: Scope) -> dict[str, Any]:
        totals, steps = await asyncio.gather(
            self._ask("totals", scope), self._ask("series", scope, unit=scope.unit, tz=scope.tz)
        )
        return {"totals": totals[0], "steps": [[step["time"], *(step[name] for name in NAMES)] for step in steps]}


def imported_of(days: Rows, starts: Sequence[int], scope: Scope) -> dict[str, Any] | None:
    """Return what is shown of another tracker's days, apart from all that Glimpse counted; None where there are none.

    Returns
    -------
    origins
        Who counted.
    first, last
        The first and the last day, as `2026-03-01`.
    visitors, visits, page_views
        Of all of these days together; None where it was not counted.
    is_left_out
        Whether a filter is set: there is nothing behind these numbers that could be filtered.
    steps
        Rows as those of the chart: a step's time, visits, page views, events. Only of steps with such a day.
    """
    if not days:
        return None
    said = [day["value"] for day in days if day["value"]]
    sums = {name: _sum(day[name] for day in days) for name in ("visitors", "visits", "page_views")}
    steps: dict[int, list[int]] = {}
    for day in days if scope.unit in _DRAWN and scope.where is None and starts else []:
        begin = datetime.fromisoformat(day["value"]).replace(tzinfo=ZoneInfo(scope.tz)).timestamp() * 1000
        step = starts[max(0, bisect_right(starts, begin) - 1)]
        before = steps.get(step, [0] * len(_AS_IMPORTED))
        steps[step] = [n + (day[name] or 0) for n, name in zip(before, _AS_IMPORTED, strict=True)]
    return sums | {
        "origins": sorted({day["origin"] for day in days}),
        "first": min(said, default=""),
        "last": max(said, default=""),
        "is_left_out": scope.where is not None,
        "steps": [[step, *counts] for step, counts in sorted(steps.items())],
    }


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
