"""A page of views that ask the store: they are told the same scope, and a click in any of them is told on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import panel as pn

from glimpse.views.asked import AskedView
from glimpse.views.parts import style
from glimpse.views.scope import Scope


class AskedPage:
    """Some parts in a grid; a page of the dashboard, which tells it the scope.

    Parameters
    ----------
    name
        Of its style sheet, which says where its parts stand.
    parts
        What it is made of.
    """

    def __init__(self, name: str, parts: Sequence[AskedView]) -> None:
        self.parts = list(parts)
        self.layout = pn.Column(
            *(part.layout for part in self.parts),
            css_classes=[f"g-page-{name}"],
            stylesheets=style("asked_page", name),
            sizing_mode="stretch_both",
            margin=0,
        )

    def show(self, scope: Scope, *, compares: bool) -> None:
        """Go on to another scope, beside the span before where that can be."""
        for part in self.parts:
            part.compares = compares and part.can_compare
            part.show_scope(scope)

    def watch_picks(self, take: Callable[[str, str | None], None]) -> None:
        """Call with each field and value that is clicked on."""
        for part in self.parts:
            part.param.watch(lambda change: change.new and take(*change.new), "picked")
