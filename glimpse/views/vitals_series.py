"""How fast pages were over time: the 75th percentile of a Web Vital in each interval, on its bands."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from glimpse.views.address import Choices, heard_tab, said_tab
from glimpse.views.ask import Ask, Rows
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope
from glimpse.views.vitals import METRICS, band_of


class VitalLine(AskedPicture):
    """The drawing."""

    _esm = script("durations", "measured", "tabs", "table", "chart", "vitals_series")
    _stylesheets = style("asked", "breakdown", "chart", "table", "vitals_series")


class VitalsSeries(AskedView):
    """One Web Vital over time; which, a viewer chooses. An interval without measurements is a gap.

    Parameters
    ----------
    metric
        LCP, INP, CLS, FCP or TTFB.
    """

    alone_styles: ClassVar[dict[str, str]] = {"height": "300px"}

    can_compare: ClassVar[bool] = True
    says = ("vital",)

    def __init__(self, ask: Ask, scope: Scope, *, metric: str = "LCP", **params: Any) -> None:
        self._metric = metric
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return VitalLine(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-vitals-series"]

    async def _answer(self, scope: Scope) -> Any:
        asked: dict[str, Any] = {"unit": scope.unit, "tz": scope.tz}
        now, then = await asyncio.gather(
            self._ask("vitals_series", scope, **asked), self._then("vitals_series", scope, **asked)
        )
        return {
            "metric": self._metric,
            "metrics": {
                metric: {"name": name, "good_to": good, "poor_from": poor}
                for metric, (name, good, poor) in METRICS.items()
            },
            "points": _points(now),
            "before": _points(then or []),
            **{name: getattr(scope, name) for name in ("since", "until", "tz", "unit")},
        }

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"metric": str(metric)} if metric in METRICS:  # the browser has the points of all
                self._metric = metric

    def _said(self) -> dict[str, tuple[str, ...]]:
        return said_tab("vital", self._metric, METRICS)

    def _hear(self, said: Choices) -> None:
        self._metric = heard_tab("vital", said, METRICS)


def _points(rows: Rows) -> dict[str, list[Any]]:
    """Return for each Web Vital its points: time, value, how many were measured, which share is good, the band."""
    points: dict[str, list[Any]] = {metric: [] for metric in METRICS}
    for row in rows:
        value = row["percentile"]
        point = [row["time"], value, row["measurements"], row["good"], band_of(row["metric"], value)]
        points[row["metric"]].append(point)
    return points
