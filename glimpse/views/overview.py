"""The most important counts of a span and how they went, if asked for beside those of the span before."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import param

from glimpse.views.asked import Ask, AskedPicture, AskedView
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope

NAMES = ("sessions", "page_views", "events")


class OverviewPicture(AskedPicture):
    """The drawing."""

    _esm = script("overview")
    _stylesheets = style("asked", "overview")


class Overview(AskedView):
    """Sessions, page views, events and bounce rate, and one of them as a line."""

    compares = param.Boolean(default=False, doc="Whether the span before is shown beside it.")
    alone_styles: ClassVar[dict[str, str]] = {"height": "340px"}

    def __init__(self, ask: Ask, scope: Scope, **params: Any) -> None:
        super().__init__(ask, scope, **params)
        self.param.watch(lambda _: self._turn and self.reload(), "compares")

    def _draw(self) -> AskedPicture:
        return OverviewPicture(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-overview"]

    async def _answer(self, scope: Scope) -> Any:
        asked = [self._counts(scope), *([self._counts(scope.before)] if self.compares else [])]
        now, *before = await asyncio.gather(*asked)
        span = {"since": scope.since, "until": scope.until, "tz": scope.tz, "unit": scope.unit}
        return span | {"now": now, "before": before[0] if before else None}

    async def _counts(self, scope: Scope) -> dict[str, Any]:
        totals, steps = await asyncio.gather(
            self._ask("totals", scope), self._ask("series", scope, unit=scope.unit, tz=scope.tz)
        )
        return {"totals": totals[0], "steps": [[step["time"], *(step[name] for name in NAMES)] for step in steps]}
