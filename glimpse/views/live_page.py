"""The live page: what happens now, one pull for all its parts."""

from __future__ import annotations

from typing import Any

import panel as pn

from glimpse.live import Window
from glimpse.views.board import Board
from glimpse.views.feed import Feed
from glimpse.views.here_list import HereList
from glimpse.views.kpis import Kpis
from glimpse.views.live_map import LiveMap
from glimpse.views.parts import LiveView, style
from glimpse.views.project_list import ProjectList
from glimpse.views.pull import Pull
from glimpse.views.timeline import Timeline
from glimpse.views.tokens import ThemeName
from glimpse.views.top_bar import GettingStarted
from glimpse.views.top_list import TopList


class LivePage:
    """Tiles, map, chart, feed and lists in a grid; a page of the dashboard, which hands it the pull."""

    def __init__(self, window: Window, project: str, *, pull: Pull, theme: ThemeName, sdk_url: str) -> None:
        shared: dict[str, Any] = {"pull": pull, "theme": theme}
        self.kpis = Kpis(window, project, **shared)
        self.live_map = LiveMap(window, project, **shared)
        self.timeline = Timeline(window, project, **shared)
        self.feed = Feed(window, project, **shared)
        self.lists = [TopList(window, project, of=of, **shared) for of in ("pages", "sources", "countries")]
        self.here = HereList(window, project, **shared)
        self.projects = ProjectList(window, project, **shared)
        self.parts: list[LiveView] = [
            self.kpis,
            self.live_map,
            self.timeline,
            self.feed,
            *self.lists,
            self.here,
            self.projects,
        ]
        self._pull = pull
        self._start = GettingStarted(project=project, sdk_url=sdk_url, margin=0, css_classes=["g-start"])
        self.layout = pn.Column(
            *(part.layout for part in self.parts),
            self._start,
            css_classes=["g-grid"],
            stylesheets=style("grid", "wall"),
            sizing_mode="stretch_both",
            margin=0,
        )
        pull.add(self._refresh, early=True)

    def _refresh(self, board: Board) -> None:
        self._start.is_shown = board.numbers.is_empty and board.span is None and self._pull.where is None

    def tell(self, what_is_not_known: str) -> None:
        """Have no part say that there is nothing, as long as that is not known."""
        styles = {"--g-empty": "hidden"} if what_is_not_known else {}
        if self.layout.styles != styles:
            self.layout.styles = styles

    def show_project(self, project: str) -> None:
        """Name another project in the tag that an empty page shows."""
        self._start.project = project

    def follow_choices(self, whole: Any) -> None:
        """Keep what is chosen in the parts the same as in the whole's `choices`, both ways."""
        for part in (part for part in self.parts if part.says):

            def tell(_: object, part: LiveView = part) -> None:
                others = {name: texts for name, texts in whole.choices.items() if name not in part.says}
                whole.choices = others | part.choices

            part.choose(whole.choices)
            part.param.watch(tell, "choices")
            whole.param.watch(lambda change, part=part: part.choose(change.new), "choices")

    def watch_picks(self, take: Any) -> None:
        """Call with each field and value that is clicked on."""
        for part in self.parts:
            part.param.watch(lambda change: change.new and take(*change.new), "picked")
