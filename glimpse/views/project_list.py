"""All projects beside each other, where all are looked at: who is there, and how much has come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import panel as pn

from glimpse.events import is_layer
from glimpse.live import ALL_PROJECTS
from glimpse.views.board import Board, BoardSpan
from glimpse.views.parts import LiveView, Picture, script, set_away, style

MOST = 40
RENEW_EVERY_MS = 1_000
_encode = msgspec.json.Encoder().encode


class ProjectLines(Picture):
    """The drawing."""

    _esm = script("words", "projects")
    _stylesheets = style("projects")


class ProjectList(LiveView):
    """A line for each project that was heard from in the span; away where one is chosen, or some filter."""

    alone_styles: ClassVar[dict[str, str]] = {"height": "300px"}

    def _build(self) -> pn.viewable.Viewable:
        self._choose: Callable[[str], None] = lambda _: None
        self._span: BoardSpan | None = None
        self._lines = ProjectLines(sizing_mode="stretch_both", margin=0)
        self._lines.param.watch(lambda change: self._take_choice(change.new), "picked")
        return pn.Column(self._lines, sizing_mode="stretch_both", margin=0, css_classes=["g-projects", "g-away"])

    @property
    def is_shown(self) -> bool:
        """Whether there are several to be beside each other. What is filtered is not counted by project."""
        return self.pull.project == ALL_PROJECTS and self.pull.where is None and len(self._projects()) > 1

    def refresh(self, board: Board) -> None:
        """Send the lines, worked out once a second for all who look."""
        self._span = board.span
        set_away(self.layout, is_away=not self.is_shown)
        if self.is_shown:
            self._lines.state = board.lasting("projects", RENEW_EVERY_MS, self._state)

    def on_choice(self, choose: Callable[[str], None]) -> None:
        """Call with each project that is clicked on."""
        self._choose = choose

    def _projects(self) -> list[str]:
        if self._span is not None:
            return [row["value"] for row in self._span.projects]
        return [name for name in self.window.projects() if not is_layer(name)]

    def _state(self, board: Board) -> str:
        if board.span is None:
            lines = [self._line(name) for name in self._projects()[:MOST]]
        else:
            lines = [self._line_of_span(row, goes_on=board.span.goes_on) for row in board.span.projects]
        ordered = sorted(lines, key=lambda line: (-line["here"], -line["page_views"], line["project"]))
        return _encode({"lines": ordered, "is_span": board.span is not None}).decode()

    def _line_of_span(self, row: dict[str, Any], *, goes_on: bool) -> dict[str, Any]:
        """Return a line of what the store counted, with who is here now."""
        here = self.window.numbers(row["value"]).open_sessions if goes_on else 0
        counts = {name: row[name] for name in ("events", "page_views", "sessions")}
        return {"project": row["value"], "here": here, "line": []} | counts

    def _line(self, project: str) -> dict[str, Any]:
        numbers = self.window.numbers(project)
        return {
            "project": project,
            "here": numbers.open_sessions,
            "events": numbers.events_last_minute,
            "page_views": numbers.page_views,
            "sessions": numbers.sessions,
            "line": [
                minute.events for minute in numbers.per_minute[:-1]
            ],  # the minute that runs would look like a fall
        }

    def _take_choice(self, said: str) -> None:
        try:
            project, _ = msgspec.json.decode(said, type=tuple[str, int])
        except msgspec.MsgspecError:
            return
        if project in self._projects():
            self._choose(project)
