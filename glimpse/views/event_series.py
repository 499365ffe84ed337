"""Events over time, stacked by the most frequent values of any field."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from glimpse.errors import QueryError
from glimpse.filters import Condition, Filter, Op, read_field
from glimpse.filters.fields import Field
from glimpse.views.address import Choices, said_tab
from glimpse.views.ask import Ask
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.chips import chips_of, joined, valued
from glimpse.views.labels import event_label
from glimpse.views.parts import script, style
from glimpse.views.properties import property_fields
from glimpse.views.scope import Scope
from glimpse.views.tokens import OTHER_SLOT

TOP = OTHER_SLOT  # as many as have a colour of their own
MOST_NAMES = 10
FIELDS = {
    "name": "Event",
    "page": "Page",
    "source": "Source",
    "channel": "Channel",
    "utm_campaign": "Campaign",
    "country": "Country",
    "region": "Region",
    "city": "City",
    "browser": "Browser",
    "os": "System",
    "device": "Device",
    "language": "Language",
}
_OFFERED = 100
_MOST_CHARS = 500


class EventBars(AskedPicture):
    """The drawing, with the fields for names and breakdown."""

    _esm = script("words", "table", "chart", "event_series")
    _stylesheets = style("asked", "chart", "table", "event_series")


class EventSeries(AskedView):
    """How many events there were in each interval, and of what.

    Parameters
    ----------
    names
        Of which events; all, if empty.
    field
        By which field they are told apart, such as `country` or `properties.plan`.
    """

    alone_styles: ClassVar[dict[str, str]] = {"height": "360px"}

    can_compare: ClassVar[bool] = True
    says = ("event", "by")

    def __init__(
        self, ask: Ask, scope: Scope, *, names: tuple[str, ...] = (), field: str = "name", **params: Any
    ) -> None:
        self._names = names
        self._field = field
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return EventBars(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-event-series"]

    async def _answer(self, scope: Scope) -> Any:
        field = read_field(self._field)
        within = _of_names(scope, self._names)
        ranked, names, properties, whole, before = await asyncio.gather(
            self._ask("breakdown", within, field=self._field, by="events", top=TOP),
            self._ask("breakdown", scope, field="name", by="events", top=_OFFERED),
            self._ask("properties", within, top=_OFFERED),
            self._steps(within),
            self._then("series", within, unit=scope.unit, tz=scope.tz),
        )
        values = [row["value"] for row in ranked if not row["is_other"]]
        each = await asyncio.gather(*(self._steps(_narrowed(within, valued(field, value))) for value in values))
        layers = [_layer(self._field, value, steps) for value, steps in zip(values, each, strict=True)]
        rest = [
            max(0, of_all - sum(parts))
            for of_all, *parts in zip(whole.values(), *(s.values() for s in each), strict=False)
        ]
        if any(rest):
            layers.append({"value": None, "shown": "All others", "is_other": True, "counts": rest})
        return {
            "names": self._names,
            "field": self._field,
            "fields": FIELDS | {field: key for key, field in property_fields(properties)},
            "offered": [row["value"] for row in names if row["value"]],
            "times": list(whole),
            "layers": layers,
            "before": None if before is None else [row["events"] for row in before][: len(whole)],
            **{name: getattr(scope, name) for name in ("since", "until", "tz", "unit")},
        }

    async def _steps(self, scope: Scope) -> dict[int, int]:
        rows = await self._ask("series", scope, unit=scope.unit, tz=scope.tz)
        return {row["time"]: row["events"] for row in rows}

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"names": list() as names, "field": str(field)} if len(field) <= _MOST_CHARS:
                self._names, self._field = _can_be(names), field
                self.reload()

    def _said(self) -> dict[str, tuple[str, ...]]:
        return ({"event": self._names} if self._names else {}) | said_tab("by", self._field, FIELDS)

    def _hear(self, said: Choices) -> None:
        self._names = _can_be(said.get("event", ()))
        field = said.get("by", ("name",))[0]
        self._field = field if _is_field(field) else "name"


def _can_be(names: Iterable[Any]) -> tuple[str, ...]:
    given = [name.strip() for name in names if isinstance(name, str) and len(name) <= _MOST_CHARS]
    return tuple(dict.fromkeys(name for name in given if name))[:MOST_NAMES]


def _is_field(text: str) -> bool:
    try:
        read_field(text)
    except QueryError:
        return False
    return len(text) <= _MOST_CHARS


def _of_names(scope: Scope, names: tuple[str, ...]) -> Scope:
    return _narrowed(scope, Condition(Field("name"), Op.IN, names)) if names else scope


def _narrowed(scope: Scope, where: Filter) -> Scope:
    return replace(scope, where=joined((*chips_of(scope.where), where)))


def _layer(field: str, value: str | None, steps: dict[int, int]) -> dict[str, Any]:
    shown = "Unknown" if value is None else event_label(value) if field == "name" else value
    return {"value": value, "shown": shown, "is_other": False, "counts": list(steps.values())}
