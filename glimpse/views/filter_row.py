"""What is looked at: a saved segment and the conditions of the bar, together one filter for the whole page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from glimpse.errors import QueryError
from glimpse.filters import Filter, to_text
from glimpse.views.chips import chips_of, joined
from glimpse.views.filter_bar import FilterBar
from glimpse.views.parts import style
from glimpse.views.segment_menu import Saved, SegmentMenu


class FilterRow:
    """The menu of segments beside the bar of chips.

    Parameters
    ----------
    saved
        Where segments are kept; without it there is the bar alone.

    Attributes
    ----------
    filter
        What both say together, None for all.
    """

    def __init__(self, *, where: str, segment: str, saved: Saved | None, project: str) -> None:
        self.bar = FilterBar(where=where, margin=0, css_classes=["g-filter"])
        self.menu = (
            SegmentMenu(saved, project, segment=segment, margin=0, css_classes=["g-segments"]) if saved else None
        )
        self.filter: Filter | None = self.bar.filter
        self._takers: list[Callable[[], None]] = []
        self.layout = pn.Row(
            *([self.menu] if self.menu else []),
            self.bar,
            css_classes=["g-filters"],
            stylesheets=style("filter_row"),
            sizing_mode="stretch_width",
            margin=0,
        )
        self.bar.param.watch(lambda _: self._renew(), "where")
        if self.menu:
            self.menu.kept_now = lambda: self.filter
            self.menu.on_change(lambda _: self._renew())
            self.menu.on_open(self._put)
            self._offer()

    @property
    def is_waiting(self) -> bool:
        """Whether it is not known yet what is looked at."""
        return self.menu is not None and self.menu.is_waiting

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing to say: all is looked at, and nothing is wrong."""
        says_something = self.filter is not None or self.bar.problem or (self.menu and self.menu.segment)
        return not says_something

    def on_change(self, take: Callable[[], None]) -> None:
        """Call when something else is looked at."""
        self._takers.append(take)

    def show_project(self, project: str) -> None:
        """Look at another project, whose segments are its own."""
        if self.menu:
            self.menu.project = project

    def look(self) -> None:
        """Read what is saved when that is due; called with each look of the pull."""
        if self.menu:
            self.menu.look()

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self.menu:
            self.menu.stop()

    def link_to(self, whole: Any) -> None:
        """Keep `where` and `segment` the same as there, both ways."""
        self.bar.link(whole, where="where", bidirectional=True)
        if self.menu:
            self.menu.link(whole, segment="segment", bidirectional=True)

    def _put(self, where: Filter | None) -> None:
        self.bar.where = "" if where is None else to_text(where)

    def _renew(self) -> None:
        chips = chips_of(self.bar.filter)
        saved = chips_of(self.menu.filter) if self.menu else ()
        try:
            self.filter = joined((*saved, *(chip for chip in chips if chip not in saved)))
        except QueryError as problem:  # each is sound, and together they are too many
            self.filter = self.bar.filter
            self.bar.problem = str(problem)
        self._offer()
        for take in self._takers:
            take()

    def _offer(self) -> None:
        if self.menu:
            self.menu.saves = "" if self.filter is None else to_text(self.filter)
