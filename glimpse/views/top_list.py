"""The most frequent of something: pages, sources, countries."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

import panel as pn
import param

from glimpse.live import LiveNumbers, Ranked, Window
from glimpse.views.board import Board
from glimpse.views.parts import LiveView, Picture, script, style
from glimpse.views.pull import Pull


class Listed(NamedTuple):
    """What a list shows."""

    title: str
    unit: str
    unknown: str  # what a line without a name is called
    field: str  # of LiveNumbers
    picks: str  # what a click on a line filters by


LISTS = {
    "pages": Listed("Top pages", "page views", "Unknown page", "top_pages", "page"),
    "sources": Listed("Top sources", "sessions", "Direct", "top_sources", "session.source"),
    "countries": Listed("Countries", "sessions", "Unknown country", "top_countries", "country"),
}
ROWS = 5


class Lines(Picture):
    """The drawing."""

    kind = param.String()
    _esm = script("words", "top_list")
    _stylesheets = style("top_list")


class TopList(LiveView):
    """A list with bars; `of` says of what.

    Parameters
    ----------
    of
        `pages`, `sources` or `countries`.
    """

    alone_styles: ClassVar[dict[str, str]] = {"height": "236px"}

    def __init__(
        self,
        window: Window,
        project: str = "*",
        *,
        of: Literal["pages", "sources", "countries"] = "pages",
        pull: Pull | None = None,
        **params: Any,
    ) -> None:
        self._of = of
        super().__init__(window, project, pull=pull, **params)

    def _build(self) -> pn.viewable.Viewable:
        self._lines = Lines(kind=self._of, sizing_mode="stretch_both", margin=0)
        self._pick_from(self._lines)
        return pn.Column(self._lines, sizing_mode="stretch_both", margin=0, css_classes=["g-top", f"g-top-{self._of}"])

    def refresh(self, board: Board) -> None:
        """Send the lines."""
        self._lines.state = board.json(self._of, lambda b: _state(b.numbers, LISTS[self._of]))


def _state(numbers: LiveNumbers, listed: Listed) -> dict[str, Any]:
    lines: list[Ranked] = getattr(numbers, listed.field)[:ROWS]
    whole = numbers.page_views if listed.field == "top_pages" else numbers.sessions
    return {
        "title": listed.title,
        "unit": listed.unit,
        "picks": listed.picks,
        "lines": [
            {"name": line.name, "shown": line.name or listed.unknown, "n": line.count, "share": line.count / whole}
            for line in lines
        ],
    }
