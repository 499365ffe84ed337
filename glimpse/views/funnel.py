"""A funnel that a viewer builds: steps as filters or names of events, and how many sessions come to each.

Rule of this module: it is the server that says what a typed step means; see `steps.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

from glimpse.events import PAGE_VIEW
from glimpse.filters import to_text
from glimpse.views.address import Choices
from glimpse.views.ask import Ask, Rows
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope
from glimpse.views.steps import MOST_CHARS, called, step_of

MOST_STEPS = 8
LIMITS_S = (0, 60, 300, 1800, 3600)  # 0: as long as the session
_OFFERED = 30
_FIRST_STEPS = 3
_NOT_DONE = frozenset({PAGE_VIEW, "page_leave", "session_start", "web_vital", "js_error", "scroll_depth"})


class FunnelBars(AskedPicture):
    """The drawing, with the fields for the steps."""

    _esm = script("words", "durations", "table", "funnel")
    _stylesheets = style("asked", "table", "funnel")


class Funnel(AskedView):
    """How far sessions come along some steps.

    Parameters
    ----------
    steps
        As somebody types them; by default a page view and what is done most often.
    """

    can_compare: ClassVar[bool] = True
    says = ("step", "within")

    def __init__(self, ask: Ask, scope: Scope, *, steps: tuple[str, ...] = (), **params: Any) -> None:
        self._steps = steps
        self._within_s = 0
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return FunnelBars(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-funnel"]

    async def _answer(self, scope: Scope) -> Any:
        names, pages = await asyncio.gather(
            self._values(scope, "name", "events"), self._values(scope, "page", "page_views")
        )
        typed_steps = self._steps or _usual_steps(names)
        filters = [step_of(text) for text in typed_steps]
        limit = {"within_s": float(self._within_s)} if self._within_s else {}
        asked = [to_text(filter_) for filter_ in filters]
        rows, before = await self._rows(scope, steps=asked, **limit) if asked else ([], None)
        steps = [
            {
                "typed": text,
                "shown": called(filter_),
                **{name: row[name] for name in ("sessions", "share", "of_previous")},
            }
            for text, filter_, row in zip(typed_steps, filters, rows, strict=True)
        ]
        for step, then in zip(steps, before or (), strict=False):
            step["before"] = {name: then[name] for name in ("sessions", "share")}
        return {"steps": steps, "within_s": self._within_s, "limits_s": LIMITS_S, "offered": [*names, *pages]}

    async def _rows(self, scope: Scope, **arguments: Any) -> tuple[Rows, Rows | None]:
        now, then = self._ask("funnel", scope, **arguments), self._then("funnel", scope, **arguments)
        return await asyncio.gather(now, then)

    async def _values(self, scope: Scope, field: str, by: str) -> list[str]:
        rows = await self._ask("breakdown", scope, field=field, by=by, top=_OFFERED)
        return [row["value"] for row in rows if row["value"] and row[by]]

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"steps": list() as steps, "within_s": int(within_s)} if within_s in LIMITS_S:
                self._steps, self._within_s = _can_be(steps), within_s
                self.reload()

    def _said(self) -> dict[str, tuple[str, ...]]:
        limit = {"within": (str(self._within_s),)} if self._within_s else {}
        return ({"step": self._steps} if self._steps else {}) | limit

    def _hear(self, said: Choices) -> None:
        self._steps = _can_be(said.get("step", ()))
        self._within_s = next((limit for limit in LIMITS_S if said.get("within") == (str(limit),)), 0)


def _can_be(steps: Iterable[Any]) -> tuple[str, ...]:
    given = [step.strip() for step in steps if isinstance(step, str) and len(step) <= MOST_CHARS]
    return tuple(step for step in given if step)[:MOST_STEPS]


def _usual_steps(names: list[str]) -> tuple[str, ...]:
    done = [name for name in names if name not in _NOT_DONE]
    return ((PAGE_VIEW,) if PAGE_VIEW in names else ()) + tuple(done[: _FIRST_STEPS - 1])
