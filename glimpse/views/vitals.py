"""How fast pages are: the 75th percentile of each Web Vital, and whether that is good, middling or poor.

The bounds are those of https://web.dev/articles/vitals, and of the pages there on FCP and TTFB.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Literal

import param

from glimpse.views.address import Choices, heard_tab, said_tab
from glimpse.views.ask import Ask, Rows
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.parts import script, style
from glimpse.views.saved_file import file_of
from glimpse.views.scope import Scope

# What each is called; up to where it is good, and from where on poor. Milliseconds; CLS has no unit.
METRICS: dict[str, tuple[str, float, float]] = {
    "LCP": ("Largest paint", 2500, 4000),
    "INP": ("Response to input", 200, 500),
    "CLS": ("Layout shift", 0.1, 0.25),
    "FCP": ("First paint", 1800, 3000),
    "TTFB": ("First byte", 800, 1800),
}
TABS = {"Page": "page", "Country": "country", "Device": "device"}
TOP = 100
_MOST_COMPARED = 1000


def band_of(metric: str, value: float) -> Literal["good", "middling", "poor"]:
    """Return how good a measurement is; the bounds themselves belong to the better side."""
    _, good, poor = METRICS[metric]
    return "good" if value <= good else "middling" if value <= poor else "poor"


class VitalTiles(AskedPicture):
    """The drawing of all together."""

    _esm = script("words", "durations", "measured", "vitals")
    _stylesheets = style("asked", "vitals")


class VitalLines(AskedPicture):
    """The drawing of the table; `file` is what the browser is to save."""

    file = param.Dict(default={}, doc="Name, type and content in base64.")

    _esm = script("words", "durations", "tabs", "save", "vitals_by")
    _stylesheets = style("asked", "breakdown", "vitals_by")


class Vitals(AskedView):
    """Each Web Vital of a span, all pages together."""

    alone_styles: ClassVar[dict[str, str]] = {"height": "148px"}

    can_compare: ClassVar[bool] = True

    def _draw(self) -> AskedPicture:
        return VitalTiles(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-vitals"]

    async def _answer(self, scope: Scope) -> Any:
        now, then = await asyncio.gather(self._ask("vitals", scope), self._then("vitals", scope))
        measured, before = _measured(now), _measured(then or [])
        return [
            {"metric": metric, "name": name, "good_to": good, "poor_from": poor, **measured.get(metric, {"n": 0})}
            | ({} if then is None else {"before": before.get(metric, {}).get("value")})
            for metric, (name, good, poor) in METRICS.items()
        ]


class VitalsBy(AskedView):
    """The same by page, country or device: the slowest first, by whichever of them."""

    can_compare: ClassVar[bool] = True
    says = ("vitals", "vitals_by")

    def __init__(self, ask: Ask, scope: Scope, **params: Any) -> None:
        self._tab, self._metric = next(iter(TABS)), next(iter(METRICS))
        self._heard = 0  # how often an address has said which
        self._rows: Rows = []
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        self._lines = VitalLines(sizing_mode="stretch_both", margin=0)
        return self._lines

    def _classes(self) -> list[str]:
        return ["g-vitals-by"]

    async def _answer(self, scope: Scope) -> Any:
        tab, field = self._tab, TABS[self._tab]
        now, then = await asyncio.gather(
            self._ask("vitals", scope, field=field, top=TOP),
            self._then("vitals", scope, field=field, top=_MOST_COMPARED),
        )
        self._rows = now if then is None else _with_before(now, then)
        values = {value: {key: one["value"] for key, one in of.items()} for value, of in _by_value(then or []).items()}
        lines = [
            {"value": value, "metrics": metrics, "before": values.get(value, {})}
            for value, metrics in _by_value(now).items()
        ]
        shown = {"tabs": list(TABS), "tab": tab, "field": field, "metrics": list(METRICS), "rows": lines}
        shown |= {"sorted": self._metric, "heard": self._heard}
        return shown | {"compares": then is not None}

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"tab": str(tab)} if tab in TABS:
                self._tab = tab
                self.reload()
            case {"by": str(metric)} if metric in METRICS:
                self._metric = metric
            case {"save": "csv" | "parquet" as kind}:
                project = self.scope.project.strip("*") or "all"
                self._lines.file = file_of(self._rows, f"{project}-vitals-{self._tab.lower()}", kind)

    def _said(self) -> dict[str, tuple[str, ...]]:
        return said_tab("vitals", self._tab, TABS) | said_tab("vitals_by", self._metric, METRICS)

    def _hear(self, said: Choices) -> None:
        self._tab, self._metric = heard_tab("vitals", said, TABS), heard_tab("vitals_by", said, METRICS)
        self._heard += 1


def _by_value(rows: Rows) -> dict[Any, dict[str, dict[str, Any]]]:
    of_one: dict[Any, Rows] = {}
    for row in rows:
        of_one.setdefault(row["value"], []).append(row)
    return {value: _measured(rows) for value, rows in of_one.items()}


def _with_before(rows: Rows, before: Rows) -> Rows:
    """Return rows with the percentile of the span before, None where it was not measured."""
    then = {(row["value"], row["metric"]): row["percentile"] for row in before}
    return [row | {"percentile_before": then.get((row["value"], row["metric"]))} for row in rows]


def _measured(rows: Rows) -> dict[str, dict[str, Any]]:
    return {
        row["metric"]: {
            "value": row["percentile"],
            "band": band_of(row["metric"], row["percentile"]),
            "n": row["measurements"],
            "good": row["good"],
        }
        for row in rows
    }
