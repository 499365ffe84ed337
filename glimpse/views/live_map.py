"""The live map: a dot a place, sized by who is there, coloured by how recent, and a ring for each event that comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from weakref import ref

import numpy as np
import panel as pn

from glimpse.live.places import place_key
from glimpse.views.board import Board
from glimpse.views.map_figure import MapFigure, build_map
from glimpse.views.parts import LiveView, Picture, script, style, weak_hook
from glimpse.views.place_rows import dot_px
from glimpse.views.tokens import THEMES, ThemeName

MOST_RINGS = 60


class MapLegend(Picture):
    """What lies on the map: what dots mean, and where the data is from."""

    _esm = script("legend")
    _stylesheets = style("legend")


class _Drawn:
    """One drawing of the map, and which rows it has."""

    def __init__(self, plot: Any) -> None:
        # HoloViews keeps its plot for as long as the drawing is shown; with it goes this.
        self.plot = ref(plot)
        self.models = MapFigure(plot)
        self.board: Callable[[], Board | None] = lambda: None
        self.generation = -1
        self.rows = 0
        self.version = 0
        self.number = -1


class LiveMap(LiveView):
    """Where visitors are now. `LiveMap(window, project)` in a cell is a live map."""

    alone_styles: ClassVar[dict[str, str]] = {"height": "460px"}

    def _build(self) -> pn.viewable.Viewable:
        self._drawings: list[_Drawn] = []
        self._pane = pn.pane.HoloViews(
            build_map(self.theme, weak_hook(self._on_drawn)),
            sizing_mode="stretch_both",
            min_height=0,
            margin=0,
            linked_axes=False,
            css_classes=["g-canvas"],
        )
        self._legend = MapLegend(css_classes=["g-legend"])
        return pn.Column(
            self._pane,
            self._legend,
            stylesheets=style("map"),
            css_classes=["g-map"],
            margin=0,
            sizing_mode="stretch_both",
        )

    def _on_drawn(self, plot: Any, _element: Any) -> None:
        """Get hold of a new drawing's models, and fill them."""
        drawn = _Drawn(plot)
        drawn.models.recolour(THEMES[self.theme])
        self._drawings = [old for old in self._drawings if old.plot() is not None] + [drawn]
        self.pull.refresh_soon()

    def refresh(self, board: Board) -> None:
        """Patch what has changed into each drawing."""
        self._drawings = [drawn for drawn in self._drawings if drawn.plot() is not None]
        for drawn in self._drawings:
            self._send_rows(drawn, board)
            self._send_arrivals(drawn, board)
        self._legend.state = board.json("legend", _legend)
        pn.io.push_notebook(self._pane)

    def _send_rows(self, drawn: _Drawn, board: Board) -> None:
        places, models = board.places, drawn.models
        is_known = drawn.generation == places.generation and drawn.rows and drawn.board() is board
        changed = [row for row in places.changed_since(drawn.version) if row < drawn.rows] if is_known else []
        if not is_known:
            models.dots.data = places.columns(slice(None))
        elif len(places) > drawn.rows:
            models.dots.stream(places.columns(slice(drawn.rows, None)))
        if changed:
            # A few arrays of numbers, which the browser writes into the dots' columns: `dots.patch` would encode
            # each value by itself, which costs more than everything else in a tick.
            models.changes.data = board.made(
                f"changes.{drawn.version}.{drawn.rows}", lambda b: b.places.changes(changed)
            )
        drawn.board, drawn.generation = ref(board), places.generation
        drawn.rows, drawn.version = len(places), places.version

    def _send_arrivals(self, drawn: _Drawn, board: Board) -> None:
        recent = board.numbers.recent
        after, latest = drawn.number, recent[-1].number if recent else 0
        drawn.number = max(latest, after)
        drawn.models.arrivals.data = board.made(f"arrivals.{after}", lambda b: _arrivals(b, after))

    def _recolour(self, theme: ThemeName) -> None:
        super()._recolour(theme)
        for drawn in self._drawings:
            drawn.models.recolour(THEMES[theme])
        pn.io.push_notebook(self._pane)


def _arrivals(board: Board, after: int) -> dict[str, Any]:
    """Return where something has come in since, each place once, the newest last, and its dot's diameter.

    There is always a row, as the server's clock stands in it.
    """
    fresh = [recent.event for recent in board.numbers.recent if recent.number > after >= 0]
    places = {place_key(e.lat, e.lon): None for e in fresh if e.lat is not None and e.lon is not None}
    x, y, px = board.places.dots_at(list(places)[-MOST_RINGS:])
    return {"x": x, "y": y, "px": px, "now": np.full(len(x), float(board.numbers.as_of))}


def _legend(board: Board) -> dict[str, Any]:
    numbers = board.numbers
    here = sum(1 for place in numbers.places if place.count)
    located = sum(place.count for place in numbers.places)
    sizes = [[n, dot_px(n, board.places.scale)] for n in (1, 10, 50)]
    return {
        "dots": len(numbers.places),
        "sizes": sizes,
        "places": here,
        "sessions": numbers.open_sessions,
        "unlocated": max(0, numbers.open_sessions - located),
    }
