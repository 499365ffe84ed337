"""The wall display, `?kiosk=1`: the live page without bars, one part of it after the other, to be read from afar."""

from __future__ import annotations

import time
from collections.abc import Callable

import panel as pn
import param

from glimpse.views.live_page import LivePage
from glimpse.views.parts import Picture, script, style

TURN_EVERY_S = 15.0


class WallKeys(Picture):
    """What a wall display hears of a keyboard, and whether whoever looks at it wants things to move."""

    turned = param.Integer(default=0, doc="How many scenes it was turned on by hand, back is less.")
    is_held = param.Boolean(default=False, doc="Whether it stays where it is.")
    _esm = script("wall")
    _stylesheets = style("wall_keys")


class Wall:
    """Shows a live page's scenes by turns: the map, the lists, and all projects where there are several.

    Parameters
    ----------
    live
        The page.
    head
        What is above it, of which a wall has the name and the state alone.
    """

    def __init__(self, live: LivePage, head: pn.Column, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._clock = clock
        self._began_at = clock()
        self._turns_before = 0  # before it began, or was held
        head.css_classes = [*head.css_classes, "g-wall"]
        self.keys = WallKeys(margin=0)
        head.append(self.keys)
        self.keys.param.watch(lambda change: self._turn(change.new - change.old), "turned")
        self.keys.param.watch(lambda change: self._hold(is_held=change.new), "is_held")
        self.look()

    @property
    def _turns(self) -> int:
        gone = 0 if self.keys.is_held else int((self._clock() - self._began_at) // TURN_EVERY_S)
        return self._turns_before + gone

    @property
    def scene(self) -> str:
        """What is shown now."""
        scenes = ["map", "lists", *(["projects"] if self._live.projects.is_shown else [])]
        return scenes[self._turns % len(scenes)]

    def _turn(self, by: int) -> None:
        self._turns_before, self._began_at = self._turns + by, self._clock()
        self.look()

    def _hold(self, *, is_held: bool) -> None:
        if is_held:
            self._turns_before += int((self._clock() - self._began_at) // TURN_EVERY_S)
        self._began_at = self._clock()

    def look(self) -> None:
        """Go on to the next scene when it is time."""
        layout = self._live.layout
        wanted = ["g-wall", f"g-wall-{self.scene}"]
        kept: list[str] = [name for name in layout.css_classes if not name.startswith("g-wall")]
        if layout.css_classes != kept + wanted:
            layout.css_classes = kept + wanted
