"""The goal that is chosen for a page: what its sessions are there for, an event or a page."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import param

from glimpse.errors import QueryError
from glimpse.filters import Filter
from glimpse.views.ask import Ask
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope
from glimpse.views.steps import MOST_CHARS, called, step_of

_OFFERED = 50
# What the tracker says by itself is nobody's goal.
_NO_GOALS = frozenset({"page_view", "page_leave", "session_start", "web_vital", "js_error", "scroll_depth"})


class GoalField(AskedPicture):
    """The drawing: a field, and what it offers."""

    goal = param.String("", doc="The goal as it is typed.")
    mistake = param.String("", doc="What is wrong with it; stays when what there is is asked for.")
    _esm = script("words", "goal_picker")
    _stylesheets = style("asked", "goal_picker")


class GoalPicker(AskedView):
    """A field for a goal. What it offers is asked for when somebody goes to it.

    Attributes
    ----------
    filter
        What the goal means; None without one, and for one with a mistake.
    """

    goal = param.String("", doc="An event's name, `/` and a page, or a condition; none, if empty.")
    alone_styles: ClassVar[dict[str, str]] = {"height": "40px"}

    def __init__(self, ask: Ask, scope: Scope, **params: Any) -> None:
        super().__init__(ask, scope, **params)
        self.layout.sizing_mode = "stretch_width"  # a field in a row, and no card
        self.filter: Filter | None = None
        self.param.watch(lambda _: self._read(), "goal")
        self._read()

    def _draw(self) -> AskedPicture:
        self._field = GoalField(sizing_mode="stretch_width", margin=0, phase="ready")
        return self._field

    def _classes(self) -> list[str]:
        return ["g-goal"]

    def show_scope(self, scope: Scope) -> None:
        """Offer what there is in another scope, the next time that somebody goes to the field."""
        self.scope = scope

    async def _answer(self, scope: Scope) -> Any:
        names, pages = await asyncio.gather(
            self._ask("breakdown", scope, field="name", by="events", top=_OFFERED),
            self._ask("breakdown", scope, field="page", by="page_views", top=_OFFERED),
        )
        offered = [row["value"] for row in names if row["value"] and row["value"] not in _NO_GOALS]
        return offered + [row["value"] for row in pages if row["value"] and row["page_views"]]

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"offer": True}:
                self.reload()
            case {"goal": str(goal)} if len(goal) <= MOST_CHARS:
                self.goal = goal.strip()

    def _read(self) -> None:
        mistake = ""
        try:
            self.filter = step_of(self.goal) if self.goal.strip() else None
        except QueryError as problem:
            self.filter, mistake = None, str(problem)
        self._field.param.update(goal=self.goal, mistake=mistake)

    @property
    def called(self) -> str:
        """What the goal is called; empty without one."""
        return called(self.filter) if self.filter is not None else ""
