"""The live map: a dot a place, sized by who is there, coloured by how recent, and a ring for each event that comes."""

from __future__ import annotations

from typing import Any, ClassVar
from weakref import ref

import panel as pn

from glimpse.geo.mercator import to_mercator
from glimpse.views.board import Board
from glimpse.views.map_figure import MapFigure, build_map
from glimpse.views.parts import LiveView, Picture, script, style
from glimpse.views.place_rows import CHANGING, dot_px
from glimpse.views.tokens import THEMES, ThemeName

MOST_RINGS = 60
# Above this share of rows a column is sent whole: cheaper than naming each.
WHOLE_ABOVE = 0.3


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
            build_map(self.theme, self._on_drawn),
            sizing_mode="stretch_both",
            min_height=0,
            margin=0,
            linked_axes=False,
            css_classes=["g-canvas"],
        )
        self._legend = MapLegend(css_classes=["g-legend"])
        self._board: Board | None = None
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
        places, source = board.places, drawn.models.dots
        if drawn.generation != places.generation or not drawn.rows or self._board is not board:
            source.data = places.columns(slice(None))
        else:
            changed = [row for row in places.changed_since(drawn.version) if row < drawn.rows]
            if len(changed) > WHOLE_ABOVE * drawn.rows:
                source.data = places.columns(slice(None))
            else:
                if changed:
                    source.patch(_patches(places.columns(changed), changed))
                if len(places) > drawn.rows:
                    source.stream(places.columns(slice(drawn.rows, None)))
        drawn.generation, drawn.rows, drawn.version = places.generation, len(places), places.version
        self._board = board

    def _send_arrivals(self, drawn: _Drawn, board: Board) -> None:
        numbers = board.numbers
        latest = numbers.recent[-1].number if numbers.recent else 0
        rings = [] if drawn.number < 0 else _rings(board, drawn.number)
        drawn.number = max(latest, drawn.number)
        drawn.models.arrivals.data = {
            "x": [x for x, _, _ in rings] or [0.0],
            "y": [y for _, y, _ in rings] or [0.0],
            "px": [px for _, _, px in rings] or [0.0],
            "now": [numbers.as_of] * max(1, len(rings)),
        }

    def _recolour(self, theme: ThemeName) -> None:
        super()._recolour(theme)
        for drawn in self._drawings:
            drawn.models.recolour(THEMES[theme])
        pn.io.push_notebook(self._pane)


def _patches(columns: dict[str, Any], rows: list[int]) -> dict[str, list[tuple[int, Any]]]:
    return {name: list(zip(rows, columns[name].tolist(), strict=True)) for name in (*CHANGING, "cooling")}


def _rings(board: Board, after: int) -> list[tuple[float, float, float]]:
    """Return where something has come in since, each place once, the newest last, and its dot's diameter."""
    numbers = board.numbers
    fresh = {
        (round(r.event.lat, 2), round(r.event.lon, 2)): r.event
        for r in numbers.recent
        if r.number > after and r.event.lat is not None and r.event.lon is not None
    }
    open_at = {place.key: place.count for place in numbers.places} if fresh else {}
    rings = []
    for key, event in list(fresh.items())[-MOST_RINGS:]:
        x, y = to_mercator(event.lat or 0.0, event.lon or 0.0)
        rings.append((float(x), float(y), dot_px(open_at.get(key, 0), board.places.scale)))
    return rings


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
