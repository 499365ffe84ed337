"""How long sessions stay, by the day they came, by where from, or by country.

Nothing links a visitor's sessions, so this is not about coming back.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from glimpse.views.address import Choices, heard_tab, said_tab
from glimpse.views.ask import Ask, Rows
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope

AFTER_S = (10, 30, 60, 180, 600, 1800)
TABS: dict[str, str | None] = {"Day": None, "Source": "session.source", "Country": "session.country"}
MOST = 60


class StayingCells(AskedPicture):
    """The drawing."""

    _esm = script("words", "durations", "tabs", "staying")
    _stylesheets = style("asked", "breakdown", "staying")


class Staying(AskedView):
    """Cohorts of sessions, and which share of each was still there after some time."""

    can_compare: ClassVar[bool] = True
    says = ("retention",)

    def __init__(self, ask: Ask, scope: Scope, **params: Any) -> None:
        self._tab = next(iter(TABS))
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return StayingCells(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-staying"]

    async def _answer(self, scope: Scope) -> Any:
        tab, field = self._tab, TABS[self._tab]
        asked: dict[str, Any] = {"field": field, "after_s": list(AFTER_S), "tz": scope.tz}
        rows, before = await asyncio.gather(
            self._ask("retention", scope, **asked), self._then("retention", scope, **asked) if field else _nothing()
        )
        cohorts = cohorts_of(rows, "day" if field is None else "value")
        cohorts.sort(key=lambda one: -(one["of"] if field is None else one["sessions"]))
        then = {one["of"]: one for one in cohorts_of(before or [], "value")}  # a day was no other span's
        for one in cohorts if before is not None else []:
            one["before"] = then.get(one["of"], {"sessions": 0, "still_there": [0] * len(AFTER_S)})
        return {
            "tabs": list(TABS),
            "tab": tab,
            "field": field,
            "tz": scope.tz,
            "after_s": AFTER_S,
            "rows": cohorts[:MOST],
        }

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"tab": str(tab)} if tab in TABS:
                self._tab = tab
                self.reload()

    def _said(self) -> dict[str, tuple[str, ...]]:
        return said_tab("retention", self._tab, TABS)

    def _hear(self, said: Choices) -> None:
        self._tab = heard_tab("retention", said, TABS)


async def _nothing() -> None:
    """Be no question."""


def cohorts_of(rows: Rows, key: str) -> list[dict[str, Any]]:
    """Return one line for each value of a column of `retention`: its sessions, and how many stayed how long."""
    cohorts: dict[Any, dict[str, Any]] = {}
    for row in rows:
        one = cohorts.setdefault(row[key], {"of": row[key], "sessions": 0, "still_there": [0] * len(AFTER_S)})
        one["still_there"][AFTER_S.index(row["after_s"])] += row["still_there"]
        if row["after_s"] == AFTER_S[0]:
            one["sessions"] += row["sessions"]
    return list(cohorts.values())
