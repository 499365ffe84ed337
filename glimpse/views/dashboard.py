"""The dashboard: the bar, the filter, and the page that is chosen, with one pull for all that is live."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import panel as pn
import param

from glimpse.live import ALL_PROJECTS, PipelineStatus, Window
from glimpse.views.address import VIEWS
from glimpse.views.ask import Ask
from glimpse.views.backstage import Backstage
from glimpse.views.backstage_pages import PAGES as BACKSTAGE
from glimpse.views.backstage_pages import BackstagePages
from glimpse.views.filter_row import FilterRow
from glimpse.views.live_map import LAYERS, LiveMap
from glimpse.views.live_page import LivePage
from glimpse.views.map_arcs import Home
from glimpse.views.parts import LiveView, set_away, style
from glimpse.views.pull import Pull
from glimpse.views.segment_menu import Saved
from glimpse.views.status_line import StatusLine
from glimpse.views.stored_pages import CHOSEN, PAGES, StoredPages
from glimpse.views.tokens import ThemeName, variables
from glimpse.views.top_bar import TopBar
from glimpse.views.wall import Wall

ASK_PROJECTS_EVERY_S = 1.0
LINKED: dict[str, Any] = {"project": "project", "theme": "theme", "view": "view"}


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
    ask
        How the store is asked; without it there is only what is live.
    saved
        Where segments are kept; without it there are none.
    backstage
        What the pages for whoever runs the server are made of; without it there are none.
    home
        Where a project's site is at home: latitude and longitude in degrees, if that is known.
    """

    project = param.String(default=ALL_PROJECTS, doc="Which project is shown; '*' is all.")
    layer = param.Selector(default="places", objects=list(LAYERS), doc="What the map shows.")
    arcs = param.String(default="", doc="'1': arcs lead over the map to where the site is at home, if that is known.")
    theme = param.Selector(default="dark", objects=["dark", "light"], doc="Which of the two sets of colours.")
    view = param.Selector(default="live", objects=list(VIEWS), doc="Which page is shown.")
    where = param.String(default="", doc="What of the project is shown, as text; see docs/filters.md.")
    segment = param.String(default="", doc="The name of a saved filter that is looked through as well.")
    goal = param.String(default="", doc="What sessions are there for: an event, a page or a condition.")
    since = param.String(default="", doc="From when on; as usual, if empty: see `address.DEFAULTS`.")
    until = param.String(default="", doc="Until when; now, if empty.")
    tz = param.String(default="", doc="An IANA time zone; the browser's, if empty.")
    compare = param.String(default="", doc="'before': beside the time before.")
    choices = param.Dict(default={}, doc="What is chosen in the parts of the pages; see `address.CHOICES`.")
    kiosk = param.String(default="", doc="'1': a wall display, which shows what is live by turns.")

    def __init__(
        self,
        window: Window,
        project: str = ALL_PROJECTS,
        *,
        status: Callable[[], PipelineStatus] = PipelineStatus,
        projects: Callable[[], list[str]] | None = None,
        sdk_url: str = "",
        ask: Ask | None = None,
        saved: Saved | None = None,
        backstage: Backstage | None = None,
        home: Callable[[str], Home | None] = lambda _: None,
        **params: Any,
    ) -> None:
        super().__init__(project=project, **params)
        self.filters = FilterRow(where=self.where, segment=self.segment, saved=saved, project=project)
        self.pull = Pull(window, project, where=self.filters.filter, ask=ask)
        self._projects = projects or window.projects
        self._home = home
        self._asked_at = 0.0
        self.status_line = StatusLine(window, project, status=status, pull=self.pull, theme=self.theme)
        self.live = LivePage(window, project, pull=self.pull, theme=self.theme, sdk_url=sdk_url)
        there = {"live", *(PAGES if ask else ()), *(BACKSTAGE if backstage else ())}
        views = {view: name for view, name in VIEWS.items() if view in there}
        self._bar = TopBar(
            project=project, theme=self.theme, view=self.view, views=views, margin=0, css_classes=["g-bar"]
        )
        chosen = {name: getattr(self, name) for name in CHOSEN}
        self.stored = StoredPages(ask, self.filters.bar.pick, saved=saved, **chosen) if ask else None
        self.backstage = BackstagePages(window, backstage) if backstage else None
        self.layout = self._lay_out()
        self._connect()
        if self.kiosk:
            self._make_wall()

    def _lay_out(self) -> pn.viewable.Viewable:
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        self._head = pn.Column(
            self._bar,
            self.status_line.layout,
            self.filters.layout,
            css_classes=["g-head"],
            stylesheets=style("head"),
            **wide,
        )
        return pn.Column(
            self._head,
            *([self.stored.layout] if self.stored else []),
            self.live.layout,
            *([self.backstage.layout] if self.backstage else []),
            css_classes=["g-dashboard"],
            stylesheets=style("dashboard"),
            sizing_mode="stretch_both",
            margin=0,
        )

    def _make_wall(self) -> None:
        self._bar.css_classes = [*self._bar.css_classes, "g-wall"]
        if self.filters.menu:
            self.filters.menu.css_classes = [*self.filters.menu.css_classes, "g-wall"]
        if self.stored:
            self.stored.is_bare = True
        wall = Wall(self.live, self._head)
        self.pull.watch(wall.look)

    def _parts(self) -> list[LiveView]:
        return [self.status_line, *self.live.parts]

    def _connect(self) -> None:
        self.pull.watch(self._ask_projects)
        self.pull.watch(self._look_at_page)
        self._bar.link(self, **LINKED, bidirectional=True)
        self._connect_map(self.live.live_map)
        self.filters.link_to(self)
        self.pull.at_end(self.filters.stop)
        if self.stored:
            self.stored.link_to(self)
            self.pull.at_end(self.stored.stop)
        if self.backstage:
            self.pull.at_end(self.backstage.stop)
        self.filters.on_change(lambda: setattr(self.pull, "where", self.filters.filter))
        self.live.watch_picks(self.filters.bar.pick)
        self.live.follow_choices(self)
        self.live.projects.on_choice(lambda project: setattr(self, "project", project))
        self.param.watch(lambda change: self._show_project(change.new), "project")
        self.param.watch(lambda change: self._recolour(change.new), "theme")
        self._recolour(self.theme)
        self._look_at_page()

    def _connect_map(self, live_map: LiveMap) -> None:
        live_map.param.update(layer=self.layer, arcs=self.arcs == "1", home=self._home(self.project))
        for one, other in ((self, live_map), (live_map, self)):
            one.param.watch(lambda change, other=other: setattr(other, "layer", change.new), "layer")
        self.param.watch(lambda change: setattr(live_map, "arcs", change.new == "1"), "arcs")
        live_map.param.watch(lambda change: setattr(self, "arcs", "1" if change.new else ""), "arcs")

    def _ask_projects(self) -> None:
        if time.monotonic() - self._asked_at >= ASK_PROJECTS_EVERY_S:
            self._asked_at = time.monotonic()
            self._bar.projects = sorted(self._projects())
            self.live.live_map.home = self._home(self.project)
            if self.pull.problem:
                self.filters.bar.problem = self.pull.problem

    def _look_at_page(self) -> None:
        self.filters.look()
        is_there = (self.view in PAGES and self.stored) or (self.view in BACKSTAGE and self.backstage)
        is_live = not is_there or bool(self.kiosk)
        has_no_use = self.filters.is_empty if self.kiosk else self.view in BACKSTAGE and not is_live
        set_away(self.filters.layout, is_away=has_no_use)
        set_away(self.live.layout, is_away=not is_live)
        # Until it is known what a segment stands for, nothing is shown: all of it would be something else.
        self.pull.rests = not is_live or self.filters.is_waiting
        if self.stored:
            self.pull.span = self.stored.live_span
            self.stored.tell(self.pull.state)
            self.live.tell(self.pull.state)
        if self.stored and not self.filters.is_waiting:
            self.stored.look("live" if is_live else self.view, self.project, self.filters.filter, self.theme)
        if self.backstage:
            self.backstage.look("live" if is_live else self.view)

    def _show_project(self, project: str) -> None:
        self.live.show_project(project)
        self.filters.show_project(project)
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
