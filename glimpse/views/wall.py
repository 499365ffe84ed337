"""The wall display, `?kiosk=1`: the live page without bars, one part of it after the other, to be read from afar."""

from __future__ import annotations

import time
from collections.abc import Callable

from panel.viewable import Viewable

from glimpse.views.live_page import LivePage

TURN_EVERY_S = 15.0


class Wall:
    """Shows a live page's scenes by turns: the map, the lists, and all projects where there are several.

    Parameters
    ----------
    live
        The page.
    head
        What is above it, of which a wall has the name and the state alone.
    """

    def __init__(self, live: LivePage, head: Viewable, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._clock = clock
        self._began_at = clock()
        head.css_classes = [*head.css_classes, "g-wall"]
        self.look()

    @property
    def scene(self) -> str:
        """What is shown now."""
        scenes = ["map", "lists", *(["projects"] if self._live.projects.is_shown else [])]
        return scenes[int((self._clock() - self._began_at) // TURN_EVERY_S) % len(scenes)]

    def look(self) -> None:
        """Go on to the next scene when it is time."""
        layout = self._live.layout
        wanted = ["g-wall", f"g-wall-{self.scene}"]
        kept: list[str] = [name for name in layout.css_classes if not name.startswith("g-wall")]
        if layout.css_classes != kept + wanted:
            layout.css_classes = kept + wanted
