"""The live map: a dot a place (or a few, seen from afar), sized by who is there, coloured by whether they are active.

Each event that comes sends out a ring. Instead of dots, countries can be shaded, by sessions or by events. Where the
site has a home, arcs can lead there from the countries where somebody is.
"""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, cast
from weakref import ref

import numpy as np
import panel as pn
import param

from glimpse.geo.borders import load_borders
from glimpse.live import PlaceNow
from glimpse.live.places import place_key
from glimpse.views.address import Choices, said_text
from glimpse.views.board import Board
from glimpse.views.map_arcs import Home, arcs
from glimpse.views.map_cells import WHOLE, Cells, Frame, dots_px, read_frame
from glimpse.views.map_countries import Measure, painted, shaded
from glimpse.views.map_figure import MapFigure, build_map
from glimpse.views.map_spot import Spot, heard_spot, read_spot
from glimpse.views.map_tables import TABLES, picked_by
from glimpse.views.parts import LiveView, Picture, call_on_tap, script, style, weak_hook
from glimpse.views.place_rows import Numbers
from glimpse.views.tokens import THEMES, ThemeName

MOST_RINGS = 60
SHADED_EVERY_MS = 1_000
ARCS_EVERY_MS = 1_000
TABLE_EVERY_MS = 1_000
LAYERS = {"places": "Places", "sessions": "Sessions by country", "events": "Events by country"}
_SIZES = (1, 10, 50)


class MapLegend(Picture):
    """What lies on the map: which layer is shown, what its marks mean, and where the data is from."""

    layer = param.Selector(default="places", objects=list(LAYERS), doc="What is shown.")
    layers = param.Dict(default=LAYERS, doc="What can be shown, and what it is called.")
    arcs = param.Boolean(default=False, doc="Whether arcs are shown.")
    has_home = param.Boolean(default=False, doc="Whether it is known where arcs lead: else there are none.")
    token = param.String("", doc="By which the map's figure is known in the browser.")
    is_table = param.Boolean(default=False, doc="Whether the numbers are shown in place of the map.")
    rows = param.String("", doc="The numbers as JSON, while they are shown.")
    frame = param.String("", doc="What the browser looks at, as `map_cells.read_frame` reads it.")
    spot = param.String("", doc="Where its middle is, and how closely that is, as `map_spot.read_spot` reads it.")
    _esm = script("words", "table", "figure", "legend")
    _stylesheets = style("table", "legend")


class _Drawn:
    """One drawing of the map, and which rows it has."""

    def __init__(self, plot: Any, token: str, spot: Spot | None) -> None:
        # HoloViews keeps its plot for as long as the drawing is shown; with it goes this.
        self.plot = ref(plot)
        self.models = MapFigure(plot, token, spot)
        self.cells: Cells | None = None
        self.generation = -1
        self.rows = 0
        self.version = 0
        self.number = -1
        self.shaded: tuple[object, ...] = ()
        self.arced: tuple[object, ...] = ()


class LiveMap(LiveView):
    """Where visitors are now. `LiveMap(window, project)` in a cell is a live map."""

    layer = param.Selector(default="places", objects=list(LAYERS), doc="Dots, or countries by a measure.")
    arcs = param.Boolean(default=False, doc="Whether arcs lead from countries to where the site is at home.")
    home = param.NumericTuple(
        default=None, length=2, allow_None=True, doc="Latitude and longitude of there, in degrees."
    )
    alone_styles: ClassVar[dict[str, str]] = {"height": "460px"}
    says = ("map",)
    is_early = False  # scripts in the browser unpack what it is sent

    def _build(self) -> pn.viewable.Viewable:
        self._drawings: list[_Drawn] = []
        self._frame: Frame = WHOLE
        self._legend = MapLegend(token=secrets.token_hex(8), layer=self.layer, arcs=self.arcs, css_classes=["g-legend"])
        self._legend.link(self, bidirectional=True, **cast("dict[str, Any]", {"layer": "layer", "arcs": "arcs"}))
        self._legend.param.watch(lambda change: self._look_at(change.new), "frame")
        self._legend.param.watch(lambda change: self._show_table(is_shown=change.new), "is_table")
        self._legend.param.watch(lambda change: self._say(change.new), "spot")
        self._pick_from(self._legend)
        self.param.watch(lambda *_: self._show_layer(), ["layer", "arcs", "home"])
        self._legend.has_home = self.home is not None
        self._pane = pn.pane.HoloViews(
            build_map(self.theme, weak_hook(self._on_drawn)),
            sizing_mode="stretch_both",
            min_height=0,
            margin=0,
            linked_axes=False,
            css_classes=["g-canvas"],
        )
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
        drawn = _Drawn(plot, self._legend.token, read_spot(self._legend.spot))
        models = drawn.models
        models.recolour(THEMES[self.theme])
        models.show(self.layer, with_arcs=self._has_arcs)
        call_on_tap(models.dots, self._on_tap)
        call_on_tap(models.countries, self._on_tap_country)
        self._drawings = [old for old in self._drawings if old.plot() is not None] + [drawn]
        self.pull.refresh_soon()

    def _on_tap(self, dots: Any, row: int) -> None:
        """Filter by the place of a dot; one that stands for several is looked at more closely."""
        drawn = next((drawn for drawn in self._drawings if drawn.models.dots is dots), None)
        if drawn is None or drawn.cells is None or not 0 <= row < len(drawn.cells):
            return
        places = drawn.cells.places_in(row)
        if len(places) > 1:
            east, north, _ = drawn.cells.dots_at(places)[:, 0].tolist()
            drawn.models.zoom_to(east, north)
        elif places and (place := drawn.cells.place(places[0])):
            self._pick_place(place)

    def _pick_place(self, place: PlaceNow) -> None:
        self.picked = picked_by(place)
        self.picked = None

    def _on_tap_country(self, _countries: Any, row: int) -> None:
        order = painted()
        code = load_borders().countries[order[row]].code if 0 <= row < len(order) else None
        if code:
            self.picked = ("country", code)
            self.picked = None

    def _look_at(self, said: str) -> None:
        frame = read_frame(said)
        if frame is not None:
            self._frame = frame
            self.pull.refresh_soon()

    def _say(self, spot: str) -> None:
        if read_spot(spot) or not spot:
            self.choices = said_text("map", spot)

    def _hear(self, said: Choices) -> None:
        """Have the map look there when it is drawn; one that is drawn already goes on as its viewer moves it."""
        self._legend.spot = heard_spot(said)

    def _show_table(self, *, is_shown: bool) -> None:
        self.layout.css_classes = ["g-map", *(["g-as-table"] if is_shown else [])]
        self.pull.refresh_soon()

    @property
    def _has_arcs(self) -> bool:
        return self.arcs and self.home is not None

    def _show_layer(self) -> None:
        self._legend.has_home = self.home is not None
        for drawn in self._drawings:
            drawn.models.show(self.layer, with_arcs=self._has_arcs)
        self.pull.refresh_soon()

    def refresh(self, board: Board) -> None:
        """Patch what has changed into each drawing."""
        self._drawings = [drawn for drawn in self._drawings if drawn.plot() is not None]
        cells = board.cells(self._frame)
        for drawn in self._drawings:
            drawn.models.say_span(is_span=board.span is not None)
            changed: list[int] = []
            if self.layer == "places":
                changed = _send_dots(drawn, cells, board)
            else:
                _send_shades(drawn, cast("Measure", self.layer), board)
            if self._has_arcs:
                _send_arcs(drawn, board, cast("Home", self.home))
            _send_pulse(drawn, cells, board, changed)
            if self.layer == "places":
                drawn.version = cells.version
        self._legend.state = _legend_state(board, cells, self.layer)
        if self._legend.is_table:
            kind = "places" if self.layer == "places" else "countries"
            self._legend.rows = board.lasting(f"map.{kind}", TABLE_EVERY_MS, TABLES[kind])
        pn.io.push_notebook(self._pane)

    def _recolour(self, theme: ThemeName) -> None:
        super()._recolour(theme)
        for drawn in self._drawings:
            drawn.models.recolour(THEMES[theme])
        pn.io.push_notebook(self._pane)


def _send_dots(drawn: _Drawn, cells: Cells, board: Board) -> list[int]:
    """Send dots that are new or have moved; return the rows of which only numbers have changed."""
    models = drawn.models
    is_known = drawn.generation == cells.generation and drawn.rows and drawn.cells is cells
    changed = [row for row in cells.changed_since(drawn.version) if row < drawn.rows] if is_known else []
    if not is_known:
        models.dots.data = cells.columns(slice(None))
    elif len(cells) > drawn.rows:
        models.dots.stream(cells.columns(slice(drawn.rows, None)))
    if moved := cells.moved(changed, drawn.version):
        models.moves.data = board.made(
            f"moves.{cells.frame}.{drawn.version}.{drawn.rows}", lambda _: cells.moves(moved)
        )
    drawn.cells, drawn.generation = cells, cells.generation
    drawn.rows = len(cells)
    return changed


def _send_shades(drawn: _Drawn, measure: Measure, board: Board) -> None:
    """Send what countries are shaded by, once a second: it is the land that is painted anew."""
    wanted = (ref(board), measure, board.numbers.as_of // SHADED_EVERY_MS)
    if drawn.shaded != wanted:
        drawn.shaded = wanted
        drawn.models.shades.data = _shaded(board, measure)[0]


def _send_arcs(drawn: _Drawn, board: Board, home: Home) -> None:
    wanted = (ref(board), home, board.numbers.as_of // ARCS_EVERY_MS)
    if drawn.arced != wanted:
        drawn.arced = wanted
        drawn.models.arcs.data = board.made(f"arcs.{home}", lambda b: arcs(b.places, home))


def _shaded(board: Board, measure: Measure) -> tuple[dict[str, Any], list[int], int]:
    return board.made(f"shaded.{measure}", lambda b: shaded(b.places, measure))


def _send_pulse(drawn: _Drawn, cells: Cells, board: Board, changed: list[int]) -> None:
    """Send where something has come in, and the numbers of dots that changed.

    All of it is one array: each is two messages of its own on the WebSocket, and `dots.patch` would encode each number
    by itself. Viewers that looked at the same moments share it.
    """
    recent = board.numbers.recent
    after, latest = drawn.number, recent[-1].number if recent else 0
    drawn.number = max(latest, after)
    made = f"pulse.{cells.frame}.{after}.{drawn.version}.{len(changed)}"
    drawn.models.pulse.data = board.made(made, lambda b: {"packed": _packed(b, cells, after, changed)})


def _packed(board: Board, cells: Cells, after: int, changed: list[int]) -> Numbers:
    """Return what `map_life.js` unpacks: the server's clock, how many arrivals, how many changes, then both."""
    arrivals, changes = _arrivals(board, cells, after), cells.changes(changed)
    head = np.array([board.numbers.as_of, arrivals.shape[1], changes.shape[1]], dtype=np.float64)
    return np.concatenate([head, arrivals.ravel(), changes.ravel()])


def _arrivals(board: Board, cells: Cells, after: int) -> Numbers:
    """Return where something has come in since, each dot once: easting, northing, diameter, one row each."""
    fresh = [recent.event for recent in board.numbers.recent if recent.number > after >= 0]
    keys = {place_key(e.lat, e.lon): None for e in fresh if e.lat is not None and e.lon is not None}
    rows = [row for key in list(keys)[-MOST_RINGS:] if (row := board.places.row(key)) is not None]
    return cells.dots_at(rows)


def _legend_state(board: Board, cells: Cells, layer: str) -> str:
    if layer == "places":
        return board.json(f"legend.{cells.scale}", lambda b: _counts(b) | {"sizes": _sizes(cells.scale)})
    return board.json(f"legend.{layer}", lambda b: _counts(b) | _steps(b, cast("Measure", layer)))


def _counts(board: Board) -> dict[str, Any]:
    here, open_sessions = board.places.summed[0], board.numbers.open_sessions
    counts = {"dots": len(board.numbers.places), "places": int(np.count_nonzero(here))}
    if board.span is not None:  # a session may have been in several places: how many are in none can't be told by these
        return counts | {"sessions": board.numbers.sessions, "unlocated": 0, "is_span": True}
    return counts | {"sessions": open_sessions, "unlocated": max(0, open_sessions - int(here.sum()))}


def _sizes(scale: float) -> list[list[float]]:
    return [[n, px] for n, px in zip(_SIZES, dots_px(np.array(_SIZES, dtype=float), scale).tolist(), strict=True)]


def _steps(board: Board, measure: Measure) -> dict[str, Any]:
    _, steps, elsewhere = _shaded(board, measure)
    return {"steps": steps, "elsewhere": elsewhere}
