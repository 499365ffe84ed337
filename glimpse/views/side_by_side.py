"""Segments beside each other: of each how many sessions, how they turned out, and how that went over time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from glimpse.errors import QueryError
from glimpse.filters import Filter, from_json, to_text
from glimpse.views.address import Choices
from glimpse.views.ask import Ask, Rows
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.chips import chips_of, joined, typed
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope
from glimpse.views.segment_menu import Kept, Saved
from glimpse.views.steps import called

LEAST, MOST = 2, 4
_MOST_CHARS = 2000
_DEVICES = tuple(f'device = "{kind}"' for kind in ("phone", "desktop", "tablet"))  # where no other segment is saved


class Columns(AskedPicture):
    """The drawing, with a field for each column."""

    _esm = script("words", "durations", "table", "chart", "side_by_side")
    _stylesheets = style("asked", "chart", "table", "side_by_side")


class SideBySide(AskedView):
    """Two to four segments, each a column.

    Parameters
    ----------
    columns
        The name of a saved segment, or a filter as somebody types it; everything, if empty.
    saved
        Where segments are kept; without it there are filters alone.
    """

    alone_styles: ClassVar[dict[str, str]] = {"height": "560px"}

    says = ("beside",)

    def __init__(
        self, ask: Ask, scope: Scope, *, columns: tuple[str, ...] = (), saved: Saved | None = None, **params: Any
    ) -> None:
        self._columns = columns[:MOST]
        self._saved = saved
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return Columns(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-side-by-side"]

    async def _answer(self, scope: Scope) -> Any:
        known = await self._saved.read(scope.project) if self._saved else {}
        columns = self._columns or ("", _another(known, ()))
        return {
            "columns": await asyncio.gather(*(self._column(scope, text, known) for text in columns)),
            "known": sorted(known),
            "another": _another(known, columns),
            "goal": called(scope.goal) if scope.goal is not None else "",
            "least": LEAST,
            "most": MOST,
            **{name: getattr(scope, name) for name in ("since", "until", "tz", "unit")},
        }

    async def _column(self, scope: Scope, text: str, known: Kept) -> dict[str, Any]:
        kind = "segment" if text in known else "filter" if text else "everything"
        try:
            where = from_json(known[text]) if text in known else joined(typed(text))
            narrowed = _narrowed(scope, where)
        except QueryError as problem:
            return {"typed": text, "kind": kind, "means": "", "problem": str(problem)}
        means = "" if where is None else to_text(where)
        return {"typed": text, "kind": kind, "means": means, "problem": "", **await self._numbers(narrowed)}

    async def _numbers(self, scope: Scope) -> dict[str, Any]:
        goal = {} if scope.goal is None else {"goal": to_text(scope.goal)}
        totals, steps, outcomes, goals = await asyncio.gather(
            self._ask("totals", scope),
            self._ask("series", scope, unit=scope.unit, tz=scope.tz),
            self._ask("outcomes", scope, unit=scope.unit, tz=scope.tz, **goal),
            self._ask("goals", scope, goals=list(goal.values())) if goal else _no_rows(),
        )
        (counts,) = totals
        return {
            "totals": {
                "sessions": counts["sessions"],
                "page_views": counts["page_views"],
                "bounce": counts["bounces"] / counts["sessions"] if counts["sessions"] else None,
                "duration_s": mean_duration_s(outcomes),
                "conversion": goals[0]["conversion"] if goals and counts["sessions"] else None,
            },
            "steps": [_step(*rows) for rows in zip(steps, outcomes, strict=True)],
        }

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"columns": list() as columns} if given := _can_be(columns):
                self._columns = given
                self.reload()

    def _said(self) -> dict[str, tuple[str, ...]]:
        return {"beside": self._columns} if self._columns else {}

    def _hear(self, said: Choices) -> None:
        self._columns = _can_be(said.get("beside", ()))


def _can_be(columns: Sequence[Any]) -> tuple[str, ...]:
    given = tuple(one.strip() for one in columns if isinstance(one, str) and len(one) <= _MOST_CHARS)
    return given if len(given) == len(columns) and LEAST <= len(given) <= MOST else ()


def _another(known: Kept, columns: Sequence[str]) -> str:
    """Return what one more column begins with: a segment that is not there yet, else a filter; everything at last."""
    return next((text for text in (*sorted(known), *_DEVICES) if text not in columns), "")


async def _no_rows() -> Rows:
    return []


def _narrowed(scope: Scope, where: Filter | None) -> Scope:
    return replace(scope, where=joined((*chips_of(scope.where), *chips_of(where))))


def mean_duration_s(outcomes: Rows) -> float | None:
    """Return how long the sessions of all intervals lasted in the mean, seconds."""
    sessions = sum(row["sessions"] for row in outcomes)
    lasted = sum(row["sessions"] * row["duration_s"] for row in outcomes if row["duration_s"] is not None)
    return lasted / sessions if sessions else None


def _step(counts: dict[str, Any], outcome: dict[str, Any]) -> list[Any]:
    """Return an interval: when it begins, and its numbers in the order of the totals."""
    started = outcome["sessions"]
    bounce, conversion = (outcome[name] / started if started else None for name in ("bounces", "reached"))
    return [counts["time"], counts["sessions"], counts["page_views"], bounce, outcome["duration_s"], conversion]
