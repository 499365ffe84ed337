"""The pages for whoever runs the server, each made when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from glimpse.live import Window
from glimpse.views.backstage import Backstage, BackstagePage
from glimpse.views.operations_page import OperationsPage
from glimpse.views.parts import set_away, style
from glimpse.views.projects_page import ProjectsPage

PAGES: dict[str, Callable[[Window, Backstage], BackstagePage]] = {
    "projects": ProjectsPage,
    "operations": lambda _, backstage: OperationsPage(backstage),
}


class BackstagePages:
    """One viewer's."""

    def __init__(self, window: Window, backstage: Backstage) -> None:
        self._window = window
        self._backstage = backstage
        self._pages: dict[str, BackstagePage] = {}
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        self.layout = pn.Column(css_classes=["g-stored", "g-away"], stylesheets=style("stored"), **wide)

    def look(self, view: str) -> None:
        """Show a page, or none if it is another's turn; and look again at the one that is shown."""
        set_away(self.layout, is_away=view not in PAGES)
        if view not in PAGES:
            return
        if view not in self._pages:
            self._pages[view] = PAGES[view](self._window, self._backstage)
            self.layout.append(self._pages[view].layout)
        for name, page in self._pages.items():
            set_away(page.layout, is_away=name != view)
        self._pages[view].look()

    def stop(self) -> None:
        """Wait for nothing any more."""
        for page in self._pages.values():
            page.stop()
