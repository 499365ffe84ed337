"""The map's design: land, countries, dots, rings, hover cards, in Web Mercator over the bundled borders.

GeoViews builds the figure, once for each place where it is shown. Afterwards only columns change: see `live_map`.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import geoviews as gv
import holoviews as hv
from bokeh.models import (
    Circle,
    ColumnDataSource,
    CustomAction,
    CustomJS,
    CustomJSHover,
    HoverTool,
    LinearColorMapper,
    LinearInterpolator,
    MultiLine,
    PanTool,
    Range1d,
    TapTool,
    WheelZoomTool,
    ZoomInTool,
    ZoomOutTool,
)
from bokeh.models.glyphs import Patches
from cartopy.crs import GOOGLE_MERCATOR

from glimpse.geo.borders import load_borders
from glimpse.views.hover_card import hover_card
from glimpse.views.map_cells import CHANGING, COLUMNS, LEVELS, TILE, WORLD_M
from glimpse.views.map_countries import SHADES, shapes, with_gaps
from glimpse.views.map_spot import Spot
from glimpse.views.place_rows import SUMMED
from glimpse.views.tokens import THEMES, Theme, ThemeName

# Registers how elements are drawn, which a notebook's extension would do with a lot of script.
import_module("geoviews.plotting.bokeh")
hv.Store.set_current_backend("bokeh")
_JS = Path(__file__).parent / "js"
_CSS = Path(__file__).parent / "css"
_HOME_ICON = "data:image/svg+xml;base64," + b64encode((_CSS / "globe.svg").read_bytes()).decode()
_GLOWS = {3.1: 0.05, 2.3: 0.09, 1.6: 0.16}  # how wide, and how strong
_LIMIT_M = WORLD_M / 2
_OUT_OF_SIGHT: dict[str, Any] = {"start": 10 * WORLD_M, "end": 11 * WORLD_M}
_EVENTS = "@events{said}"
_DOT_CARD = hover_card("@place, @country{said}", "@places{said}", "@count{said}", quiet=f"{_EVENTS} · @heard{{said}}")
_COUNTRY_CARD = hover_card("@name{said}", "@count{said}", quiet=_EVENTS)


@cache
def coasts() -> dict[str, Any]:
    """Return the columns of all coasts and borders, as one shape with gaps.

    They go into the columns directly: GeoViews would project each polygon anew for each viewer, which takes seconds,
    and Bokeh sends each array as a message of its own.
    """
    return with_gaps(list(load_borders().lines))


def build_map(theme: ThemeName, on_drawn: Any) -> Any:
    """Return the map, empty.

    Parameters
    ----------
    on_drawn
        Called with HoloViews' plot and the element each time the map is drawn somewhere: a hook.
    """
    nowhere: Any = gv.Points([(0.0, 0.0)], crs=GOOGLE_MERCATOR)
    return nowhere.opts(
        projection=GOOGLE_MERCATOR,
        responsive=True,
        xaxis=None,
        yaxis=None,
        toolbar=None,
        show_frame=False,
        bgcolor=THEMES[theme].ocean,
        default_tools=[],
        active_tools=[],
        hooks=[on_drawn],
        show_legend=False,
    )


class MapFigure:
    """The Bokeh models of one drawn map, as far as a tick or a switch of theme touches them."""

    def __init__(self, plot: Any, token: str, spot: Spot | None = None) -> None:
        self.figure = plot.state
        self._framed = {"figure": self.figure, "world": WORLD_M, "spot": list(spot or ())}
        self._layer, self._theme = "places", THEMES["dark"]
        self._draw_land()
        # Not an element of HoloViews' own: an overlay of two takes three times as long to draw, for each viewer.
        self._lines = MultiLine(line_width=0.7)
        self.figure.add_glyph(ColumnDataSource(coasts()), self._lines)
        self.arcs = ColumnDataSource({"xs": [], "ys": [], "width": []}, name="arcs")
        self._arc = MultiLine(line_width="width", line_alpha=0.55, line_cap="round")
        self._all_arcs = self.figure.add_glyph(self.arcs, self._arc, level="overlay", visible=False)
        self.dots: ColumnDataSource = plot.handles["source"]
        self.dots.name = "places"
        self.pulse = ColumnDataSource({"packed": []}, name="pulse")
        self.moves = ColumnDataSource({name: [] for name in ("row", *COLUMNS)})
        self._mapper = LinearColorMapper(low=0, high=2)
        self._dot = plot.handles["glyph_renderer"].glyph = self._circle(line_width=0.5, line_alpha=0.35)
        self._dot.fill_color = {"field": "status", "transform": self._mapper}
        self.dots.data = {name: [] for name in COLUMNS}  # HoloViews derives others, with names of its own
        self._lay(plot.handles["glyph_renderer"])
        self._frame(token)
        self._add_tools(plot.handles["glyph_renderer"])

    def _draw_land(self) -> None:
        """Draw all land as one shape, or each country as one, which the browser cuts out of it when they are shown."""
        surface, starts, codes, names = shapes()
        flat = ColumnDataSource(surface)
        self._land = Patches(line_color=None)
        self._all_land = self.figure.add_glyph(flat, self._land, level="underlay")
        self.countries = ColumnDataSource(
            {name: [] for name in ("xs", "ys", "shade", "code", "name", *SUMMED)}, name="countries"
        )
        self.shades = ColumnDataSource({name: [] for name in ("shade", *SUMMED)})
        self._shade = LinearColorMapper(low=0, high=SHADES - 1, low_color=THEMES["dark"].land)
        fill: Any = {"field": "shade", "transform": self._shade}
        areas = Patches(fill_color=fill, line_color=None)
        self._areas = self.figure.add_glyph(self.countries, areas, level="underlay", visible=False)
        told = {"flat": flat, "starts": starts, "codes": codes, "names": names}
        told |= {"countries": self.countries, "shades": self.shades}
        self.shades.js_on_change("data", CustomJS(args=told, code=_js("map_countries")))

    @staticmethod
    def _circle(times: float = 1, **look: Any) -> Circle:
        """Return circles of `size` pixels across.

        Not markers, as HoloViews makes them: those move the canvas to each place and back, which Chromium, when it
        paints without a graphics card, now and then forgets half of; from then on all is drawn beside its place.
        """
        radius: Any = _radius(times) | {"units": "screen"}
        return Circle(x="x", y="y", radius=radius, fill_color=None, **look)

    def _lay(self, dots: Any) -> None:
        """Lay what moves on the overlay canvas, above a glow, so that the land is not painted with every change."""
        self._glows = [self._glow(times) for times in _GLOWS]
        dots.level = "overlay"
        moving = self._moving = [*self._glows, dots]
        self.figure.renderers = [r for r in self.figure.renderers if r not in moving] + moving
        for renderer in [*moving, self._areas, self._all_arcs]:
            renderer.nonselection_glyph = renderer.selection_glyph = None
            renderer.muted_glyph = renderer.hover_glyph = None
        told: dict[str, Any] = {"figure": self.figure, "dots": self.dots, "mapper": self._mapper}
        told |= {"pulse": self.pulse, "changing": CHANGING}
        self.pulse.js_on_change("data", CustomJS(args=told, code=_js("map_life")))
        moved = CustomJS(args={"dots": self.dots, "moves": self.moves}, code=_js("map_moves"))
        self.moves.js_on_change("data", moved)
        self.figure.tags = [self.pulse, self.moves, self.shades]  # nothing draws them: else they would not be sent

    def _glow(self, times: float) -> Any:
        glyph = self._circle(times, line_color=None)
        glyph.fill_color = {"field": "status", "transform": self._mapper}
        return self.figure.add_glyph(self.dots, glyph, level="overlay")

    def _frame(self, token: str) -> None:
        figure = self.figure
        # At first nothing is in sight: until `map_frame.js` knows the card's shape, land would be painted for nothing.
        figure.x_range = Range1d(**_OUT_OF_SIGHT, bounds=(-_LIMIT_M * 1.1, _LIMIT_M * 1.1), min_interval=2e4)
        figure.y_range = Range1d(**_OUT_OF_SIGHT, bounds=(-_LIMIT_M, _LIMIT_M), min_interval=1e4)
        figure.match_aspect = False
        figure.aspect_ratio = None
        figure.lod_threshold = None
        figure.min_border = figure.min_border_left = figure.min_border_right = 0
        figure.min_border_top = figure.min_border_bottom = 0
        # The ocean is the card's: what the canvas paints, its outermost pixels keep after a change of theme.
        figure.outline_line_color = figure.background_fill_color = figure.border_fill_color = None
        figure.sizing_mode = "stretch_both"
        figure.output_backend = "canvas"
        keep = CustomJS(args={**self._framed, "action": "keep"}, code=_js("map_frame"))
        figure.js_on_change("inner_width", keep)
        figure.js_on_change("inner_height", keep)
        told: dict[str, Any] = {"figure": figure, "token": token, "world": WORLD_M, "tile": TILE}
        seen = CustomJS(args={**told, "levels": [LEVELS[0], LEVELS[-1]]}, code=_js("map_seen"))
        for ranged in (figure.x_range, figure.y_range):
            ranged.js_on_change("start", seen)
            ranged.js_on_change("end", seen)

    def _add_tools(self, dots: Any) -> None:
        figure = self.figure
        home = CustomJS(args={**self._framed, "action": "home"}, code=_js("map_frame"))
        hovers = [self._hover(dots, _DOT_CARD), self._hover(self._areas, _COUNTRY_CARD)]
        pan, wheel, tap = PanTool(), WheelZoomTool(zoom_on_axis=False), TapTool(renderers=[dots, self._areas])
        for tool in (pan, wheel, *hovers, tap):
            tool.visible = False
        whole = CustomAction(description="Whole world", callback=home, icon=_HOME_ICON)
        buttons = (ZoomInTool(factor=0.4), ZoomOutTool(factor=0.4), whole)
        figure.toolbar.tools = [pan, wheel, *hovers, tap, *buttons]
        figure.toolbar.active_drag, figure.toolbar.active_scroll = pan, wheel
        figure.toolbar.active_inspect, figure.toolbar.active_tap = hovers, tap
        figure.toolbar.logo = None
        figure.toolbar.stylesheets = [(_CSS / "map_toolbar.css").read_text("utf-8")]
        figure.toolbar_location = "right"
        figure.toolbar_inner = True
        figure.stylesheets = [(_CSS / "figure.css").read_text("utf-8")]

    @staticmethod
    def _hover(renderer: Any, card: str) -> HoverTool:
        """Return what shows a card beside the pointer; `{said}` in it is what a script puts into words."""
        said = {
            f"@{name}": CustomJSHover(
                args={"source": renderer.data_source, "column": name}, code=_js("durations") + _js("map_words")
            )
            for name in ("count", "heard", "places", "events", "country", "name")
        }
        return HoverTool(
            renderers=[renderer],
            tooltips=card,
            formatters=said,  # type: ignore[arg-type]
            point_policy="snap_to_data" if "@place" in card else "follow_mouse",
            attachment="vertical",
            show_arrow=False,
        )

    def say_span(self, *, is_span: bool) -> None:
        """Say whether the numbers on the cards are of another span than the live window, and of all its sessions."""
        for source in (self.dots, self.countries):
            wanted: list[Any] = ["span"] if is_span else []
            if source.tags != wanted:
                source.tags = wanted

    def show(self, layer: str, *, with_arcs: bool) -> None:
        """Show dots, or countries; and arcs."""
        self._all_arcs.visible = with_arcs
        self._layer = layer
        self._colour_arcs()
        self._areas.visible = layer != "places"
        self._all_land.visible = layer == "places"  # else the countries are: no point of it is painted twice
        for renderer in self._moving:  # rings pulse over both
            renderer.visible = layer == "places"

    def _colour_arcs(self) -> None:
        """Have arcs stand out from what lies below: amber dots, or countries in the accent's shades."""
        self._arc.line_color = self._theme.accent if self._layer == "places" else self._theme.presence[-1]

    def zoom_to(self, x: float, y: float) -> None:
        """Look four times as closely, with a point in the middle."""
        for ranged, middle in ((self.figure.x_range, x), (self.figure.y_range, y)):
            half = (ranged.end - ranged.start) / 8
            ranged.update(start=middle - half, end=middle + half)

    def recolour(self, theme: Theme) -> None:
        """Take another theme's colours."""
        self._land.fill_color, self._lines.line_color = theme.land, theme.border
        self._theme = theme
        self._colour_arcs()
        self._mapper.palette, self._shade.palette = list(theme.presence), list(theme.shades)
        self._shade.low_color = theme.land
        self._dot.line_color = "#000000" if theme.name == "dark" else "#ffffff"
        for glow, alpha in zip(self._glows, _GLOWS.values(), strict=True):
            glow.glyph.fill_alpha = alpha


def _radius(times: float) -> dict[str, Any]:
    """Return the radius of circles that are so many times as wide as the column `size` says."""
    return {"field": "size", "transform": LinearInterpolator(x=[0, 100], y=[0, 50 * times])}


def _js(name: str) -> str:
    return (_JS / f"{name}.js").read_text("utf-8")
