"""The pages that ask the store: which time, and below it the page that is chosen. None is made before it is looked at.

Rule of this module: it asks when a look of the viewer's pull finds that something else is wanted, so never before a
browser is there to be shown the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import panel as pn
import param

from glimpse.views.asked import Ask
from glimpse.views.asked_page import AskedPage
from glimpse.views.explore_page import ExplorePage
from glimpse.views.history_page import HistoryPage
from glimpse.views.parts import set_away, style
from glimpse.views.performance_page import PerformancePage
from glimpse.views.range_bar import RangeBar
from glimpse.views.scope import Scope, span_of
from glimpse.views.sessions_page import SessionsPage
from glimpse.views.tokens import ThemeName

ASK_AGAIN_EVERY_MS = 60_000  # where the span ends now, it goes on
CHOSEN = ("since", "until", "tz", "compare")
PAGES: dict[str, Callable[..., AskedPage]] = {
    "history": HistoryPage,
    "sessions": SessionsPage,
    "performance": PerformancePage,
    "explore": ExplorePage,
}


class StoredPages(param.Parameterized):
    """One viewer's pages of what is stored."""

    since = param.String("24h")
    until = param.String("")
    tz = param.String("")
    compare = param.String("")

    def __init__(self, ask: Ask, take_pick: Callable[[str, str | None], None], **params: Any) -> None:
        super().__init__(**params)
        self._ask = ask
        self._take_pick = take_pick
        self._pages: dict[str, AskedPage] = {}
        self._shown: object = None
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        self._bar = RangeBar(**{name: getattr(self, name) for name in CHOSEN}, **wide, css_classes=["g-range"])
        linked: dict[str, Any] = {name: name for name in CHOSEN}
        self._bar.link(self, **linked, bidirectional=True)
        self.layout = pn.Column(
            pn.Column(self._bar, css_classes=["g-range-row"], **wide),
            css_classes=["g-stored", "g-away"],
            stylesheets=style("stored"),
            **wide,
        )

    def link_to(self, whole: param.Parameterized) -> None:
        """Keep what is chosen the same as there, both ways."""
        for one, other in ((self, whole), (whole, self)):
            one.param.watch(lambda change, other=other: setattr(other, change.name, change.new), list(CHOSEN))

    def look(self, view: str, project: str, where: Any, theme: ThemeName) -> None:
        """Show a page as it is wanted now, if it is not shown so already."""
        set_away(self.layout, is_away=view not in PAGES)
        self._bar.can_compare = view == "history"
        if view not in PAGES or not self._bar.zone:  # the browser tells its zone as soon as it is there
            return
        now = time.time_ns() // 1_000_000
        turn = 0 if self.until else now // ASK_AGAIN_EVERY_MS
        wanted = (view, project, where, self.since, self.until, self.tz, self.compare, turn)
        if wanted != self._shown:
            self._shown = wanted
            tz = self.tz or self._bar.zone
            since, until = span_of(self.since, self.until, tz, now)
            self._page(view, theme).show(Scope(project, since, until, where, tz), compares=self.compare == "before")

    def _page(self, view: str, theme: ThemeName) -> AskedPage:
        if view not in self._pages:
            page = self._pages[view] = PAGES[view](self._ask, theme=theme)
            page.watch_picks(self._take_pick)
            self.layout.append(page.layout)
        for name, page in self._pages.items():
            set_away(page.layout, is_away=name != view)
        return self._pages[view]

    def stop(self) -> None:
        """Wait for no answer any more."""
        for page in self._pages.values():
            for part in page.parts:
                part.stop()
