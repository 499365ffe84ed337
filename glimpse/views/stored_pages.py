"""Which time is looked at, on the live page too, and the pages that ask the store. None is made before it is looked at.

Rule of this module: it asks when a look of the viewer's pull finds that something else is wanted, so never before a
browser is there to be shown the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import param

from glimpse.views.ask import Ask
from glimpse.views.asked import AskedView
from glimpse.views.asked_page import AskedPage
from glimpse.views.explore_page import ExplorePage
from glimpse.views.goal_picker import GoalPicker
from glimpse.views.history_page import HistoryPage
from glimpse.views.parts import put, set_away, style
from glimpse.views.performance_page import PerformancePage
from glimpse.views.range_bar import RangeBar
from glimpse.views.scope import Scope, span_of
from glimpse.views.segment_menu import Saved
from glimpse.views.sessions_page import SessionsPage
from glimpse.views.span_board import LIVE, Span
from glimpse.views.tokens import ThemeName

ASK_AGAIN_EVERY_MS = 60_000  # where the span ends now, it goes on
TIMES = ("since", "until", "tz", "compare")
CHOSEN = (*TIMES, "goal", "choices")
WITH_BEFORE = ("history", "explore", "performance")
WITH_GOAL = ("history", "explore")
PAGES: dict[str, Callable[..., AskedPage]] = {
    "history": HistoryPage,
    "sessions": SessionsPage,
    "performance": PerformancePage,
    "explore": ExplorePage,
}


class StoredPages(param.Parameterized):
    """One viewer's pages of what is stored."""

    since = param.String("")
    until = param.String("")
    tz = param.String("")
    compare = param.String("")
    goal = param.String("")
    choices = param.Dict({})

    def __init__(
        self, ask: Ask, take_pick: Callable[[str, str | None], None], *, saved: Saved | None = None, **params: Any
    ) -> None:
        super().__init__(**params)
        self._ask = ask
        self._take_pick = take_pick
        self._makes = PAGES | {"explore": partial(ExplorePage, saved=saved)}
        self._pages: dict[str, AskedPage] = {}
        self._shown: object = None
        self.is_bare = False  # a wall display has the time in its address alone
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        self._bar = RangeBar(**{name: getattr(self, name) for name in TIMES}, **wide, css_classes=["g-range"])
        linked: dict[str, Any] = {name: name for name in TIMES}
        self._bar.link(self, **linked, bidirectional=True)
        self._goal = GoalPicker(ask, Scope(), goal=self.goal, is_alone=False)
        for one, other in ((self, self._goal), (self._goal, self)):
            one.param.watch(lambda change, other=other: setattr(other, "goal", change.new), "goal")
        self.param.watch(lambda _: self._tell_choices(), "choices")
        self.layout = pn.Column(
            pn.Column(
                self._bar, self._goal.layout, css_classes=["g-range-row"], stylesheets=style("range_row"), **wide
            ),
            css_classes=["g-stored", "g-away"],
            stylesheets=style("stored"),
            sizing_mode="stretch_both",
            margin=0,
        )

    def link_to(self, whole: param.Parameterized) -> None:
        """Keep what is chosen the same as there, both ways."""
        for one, other in ((self, whole), (whole, self)):
            one.param.watch(lambda change, other=other: setattr(other, change.name, change.new), list(CHOSEN))

    @property
    def live_span(self) -> Span | None:
        """Which span the live page shows; None for the live window."""
        if self.since in ("", LIVE) and not self.until:
            return None
        return Span(self.since, self.until, self.tz or self._bar.zone)

    def tell(self, state: str) -> None:
        """Say beside the time whether its numbers are there."""
        put(self._bar, "told", state)

    def look(self, view: str, project: str, where: Any, theme: ThemeName) -> None:
        """Show a page as it is wanted now, if it is not shown so already; of the live one, which time it is of."""
        set_away(self.layout, is_away=view not in (*PAGES, "live") or self.is_bare)
        for name, page in self._pages.items():
            set_away(page.layout, is_away=name != view)
        put(self._bar, "is_live", view == "live")
        put(self._bar, "can_compare", view in WITH_BEFORE)
        set_away(self._goal.layout, is_away=view not in WITH_GOAL)
        if view not in PAGES or not self._bar.zone:  # the browser tells its zone as soon as it is there
            return
        now = time.time_ns() // 1_000_000
        turn = 0 if self.until else now // ASK_AGAIN_EVERY_MS
        wanted = (view, project, where, self.since, self.until, self.tz, self.compare, self.goal, turn)
        if wanted != self._shown:
            self._shown = wanted
            tz = self.tz or self._bar.zone
            since, until = span_of(self.since, self.until, tz, now)
            goal = self._goal.filter if view in WITH_GOAL else None
            scope = Scope(project, since, until, where, tz, goal)
            self._goal.show_scope(scope)
            self._page(view, theme).show(scope, compares=self.compare == "before")

    def _page(self, view: str, theme: ThemeName) -> AskedPage:
        if view not in self._pages:
            page = self._pages[view] = self._makes[view](self._ask, theme=theme)
            page.watch_picks(self._take_pick)
            for part in page.parts:
                part.choose(self.choices)
                part.param.watch(lambda _, part=part: self._take_choices(part), "choices")
            self.layout.append(page.layout)
        return self._pages[view]

    def _take_choices(self, part: AskedView) -> None:
        others = {name: texts for name, texts in self.choices.items() if name not in part.says}
        self.choices = others | part.choices

    def _tell_choices(self) -> None:
        for page in self._pages.values():
            for part in page.parts:
                part.choose(self.choices)

    def stop(self) -> None:
        """Wait for no answer any more."""
        self._goal.stop()
        for page in self._pages.values():
            for part in page.parts:
                part.stop()
