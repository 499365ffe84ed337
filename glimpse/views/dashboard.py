"""The dashboard: the parts on one page, with one pull for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import panel as pn
import param

from glimpse.live import ALL_PROJECTS, PipelineStatus, Window
from glimpse.views.board import Board
from glimpse.views.feed import Feed
from glimpse.views.kpis import Kpis
from glimpse.views.live_map import LiveMap
from glimpse.views.parts import LiveView, style
from glimpse.views.pull import Pull
from glimpse.views.status_line import StatusLine
from glimpse.views.timeline import Timeline
from glimpse.views.tokens import ThemeName, variables
from glimpse.views.top_bar import GettingStarted, TopBar
from glimpse.views.top_list import TopList

ASK_PROJECTS_EVERY_S = 1.0


class Dashboard(pn.viewable.Viewer):
    """All that is happening in one project.

    Parameters
    ----------
    window
        What it follows.
    status
        How far behind the window is; asked once a second.
    projects
        What can be chosen; by default what the window has.
    sdk_url
        Address of the tracker, for the tag that an empty dashboard shows; by default beside the page.
    """

    project = param.String(default=ALL_PROJECTS, doc="Which project is shown; '*' is all.")
    theme = param.Selector(default="dark", objects=["dark", "light"], doc="Which of the two sets of colours.")

    def __init__(
        self,
        window: Window,
        project: str = ALL_PROJECTS,
        *,
        status: Callable[[], PipelineStatus] = PipelineStatus,
        projects: Callable[[], list[str]] | None = None,
        sdk_url: str = "",
        **params: Any,
    ) -> None:
        super().__init__(project=project, **params)
        self.pull = Pull(window, project)
        self._projects = projects or window.projects
        self._asked_at = 0.0
        shared: dict[str, Any] = {"pull": self.pull, "theme": self.theme}
        self.status_line = StatusLine(window, project, status=status, **shared)
        self.kpis = Kpis(window, project, **shared)
        self.live_map = LiveMap(window, project, **shared)
        self.timeline = Timeline(window, project, **shared)
        self.feed = Feed(window, project, **shared)
        self.lists = [TopList(window, project, of=of, **shared) for of in ("pages", "sources", "countries")]
        self._bar = TopBar(project=project, theme=self.theme, margin=0, css_classes=["g-bar"])
        self._start = GettingStarted(project=project, sdk_url=sdk_url, margin=0, css_classes=["g-start"])
        self.layout = self._lay_out()
        self._connect()

    def _lay_out(self) -> pn.viewable.Viewable:
        grid = pn.Column(
            self._bar,
            *(part.layout for part in self._parts()),
            self._start,
            css_classes=["g-grid"],
            stylesheets=style("grid"),
            sizing_mode="stretch_both",
            margin=0,
        )
        return pn.Column(
            grid, css_classes=["g-dashboard"], stylesheets=style("dashboard"), sizing_mode="stretch_both", margin=0
        )

    def _parts(self) -> list[LiveView]:
        return [self.status_line, self.kpis, self.live_map, self.timeline, self.feed, *self.lists]

    def _connect(self) -> None:
        self.pull.add(self._refresh)
        self.pull.watch(self._ask_projects)
        self._bar.link(self, project="project", theme="theme", bidirectional=True)
        self.param.watch(lambda change: self._show_project(change.new), "project")
        self.param.watch(lambda change: self._recolour(change.new), "theme")
        self._recolour(self.theme)

    def _refresh(self, board: Board) -> None:
        self._start.is_shown = board.numbers.is_empty

    def _ask_projects(self) -> None:
        if time.monotonic() - self._asked_at >= ASK_PROJECTS_EVERY_S:
            self._asked_at = time.monotonic()
            self._bar.projects = sorted(self._projects())

    def _show_project(self, project: str) -> None:
        self._start.project = project
        self.pull.project = project

    def _recolour(self, theme: ThemeName) -> None:
        self.layout.styles = variables(theme)
        for part in self._parts():
            part.theme = theme

    def stop(self) -> None:
        """Follow no more. A page that is closed does this by itself."""
        self.pull.stop()

    def __panel__(self) -> pn.viewable.Viewable:
        self.pull.begin(self.layout)
        return self.layout
