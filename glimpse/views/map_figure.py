"""The map's design: land, dots, rings, hover card, in Web Mercator over the bundled borders.

GeoViews builds the figure, once for each place where it is shown. Afterwards only columns change: see `live_map`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import geoviews as gv
import holoviews as hv
import numpy as np
from bokeh.models import (
    Circle,
    ColumnDataSource,
    CustomAction,
    CustomJS,
    HoverTool,
    LinearInterpolator,
    PanTool,
    Range1d,
    WheelZoomTool,
    ZoomInTool,
    ZoomOutTool,
)
from cartopy.crs import GOOGLE_MERCATOR
from numpy.typing import NDArray

from glimpse.geo.borders import load_borders
from glimpse.views.hover_card import hover_card
from glimpse.views.place_rows import CHANGING, COLUMNS
from glimpse.views.tokens import THEMES, Theme, ThemeName

# Registers how elements are drawn, which a notebook's extension would do with a lot of script.
import_module("geoviews.plotting.bokeh")
hv.Store.set_current_backend("bokeh")
_JS = Path(__file__).parent / "js"
_CSS = Path(__file__).parent / "css"
_HOME_ICON = "data:image/svg+xml;base64," + b64encode((_CSS / "globe.svg").read_bytes()).decode()
_GLOWS = {3.1: 0.05, 2.3: 0.09, 1.6: 0.16}  # how wide, and how strong
_LIMIT_M = 20_037_508.0
_HOVER_CARD = hover_card("@place, @country", "@here", quiet="@events{0,0} events in 30 min · @ago")


@cache
def land() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns of all land, and of all coasts and borders, each as one shape with gaps.

    They go into the columns directly: GeoViews would project each polygon anew for each viewer, which takes seconds,
    and Bokeh sends each array as a message of its own. All land has one colour, so no country needs its holes.
    """
    borders = load_borders()
    outer = [rings[0] for country in borders.countries for rings in country.polygons]
    return _with_gaps(outer), _with_gaps(borders.lines)


def _with_gaps(parts: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    """Join lines of shape (n, 2); a metre is enough, and half as long on its way."""
    gap = np.full((1, 2), np.nan)
    joined = np.concatenate([part for line in parts for part in (line, gap)]).astype(np.float32)
    return {"xs": [joined[:, 0].copy()], "ys": [joined[:, 1].copy()]}


def build_map(theme: ThemeName, on_drawn: Any) -> Any:
    """Return the map, empty.

    Parameters
    ----------
    on_drawn
        Called with HoloViews' plot and the element each time the map is drawn somewhere: a hook.
    """
    colours = THEMES[theme]
    nowhere = {name: [""] if name in {"place", "country", "ago", "here"} else [0.0] for name in COLUMNS}
    lines: Any = gv.Path([[(0.0, 0.0), (1.0, 1.0)]], crs=GOOGLE_MERCATOR)
    rings: Any = gv.Points(
        {"x": [0], "y": [0], "size": [0], "alpha": [0]}, ["x", "y"], ["size", "alpha"], crs=GOOGLE_MERCATOR
    )
    dots: Any = gv.Points(nowhere, ["x", "y"], [n for n in COLUMNS if n not in {"x", "y"}], crs=GOOGLE_MERCATOR)
    drawn = (
        lines.opts(color=colours.border, line_width=0.7)
        * rings.opts(size="size", alpha="alpha", fill_alpha=0, color=colours.recency[0], line_width=1.6)
        * dots.opts(size="size", color="cooling", cmap=list(colours.recency), clim=(0, 1), alpha=0.92)
    )
    return drawn.opts(
        gv.opts.Overlay(
            projection=GOOGLE_MERCATOR,
            responsive=True,
            xaxis=None,
            yaxis=None,
            toolbar=None,
            show_frame=False,
            bgcolor=colours.ocean,
            default_tools=[],
            active_tools=[],
            hooks=[on_drawn],
            show_legend=False,
        ),
    )


class MapFigure:
    """The Bokeh models of one drawn map, as far as a tick or a switch of theme touches them."""

    def __init__(self, plot: Any) -> None:
        lines_plot, rings_plot, dots_plot = plot.subplots.values()
        self.figure = plot.state
        self._lines = lines_plot.handles["glyph"]
        surface, lines_plot.handles["source"].data = land()
        self._land = self.figure.patches(source=ColumnDataSource(surface), line_color=None, level="underlay").glyph
        self.dots: ColumnDataSource = dots_plot.handles["source"]
        self.rings: ColumnDataSource = rings_plot.handles["source"]
        self.arrivals = ColumnDataSource({"x": [], "y": [], "px": [], "now": []})
        self.changes = ColumnDataSource({name: [] for name in ("row", *CHANGING)})
        self._mapper = dots_plot.handles["glyph"].fill_color.transform
        self._dot = dots_plot.handles["glyph_renderer"].glyph = self._circle(line_width=0.5, line_alpha=0.35)
        self._dot.fill_color = {"field": "cooling", "transform": self._mapper}
        self._ring = rings_plot.handles["glyph_renderer"].glyph = self._circle(line_width=1.6, line_alpha="alpha")
        self._name_columns()
        self._lay(dots_plot.handles["glyph_renderer"], rings_plot.handles["glyph_renderer"])
        self._frame()
        self._add_tools(dots_plot.handles["glyph_renderer"])

    def _name_columns(self) -> None:
        """Read the columns that ticks write; HoloViews derives others, with names of its own."""
        self.dots.data = {name: [] for name in COLUMNS}
        self.rings.data = {name: [] for name in ("x", "y", "size", "alpha")}

    @staticmethod
    def _circle(**look: Any) -> Circle:
        """Return circles of `size` pixels across.

        Not markers, as HoloViews makes them: those move the canvas to each place and back, which Chromium, when it
        paints without a graphics card, now and then forgets half of; from then on all is drawn beside its place.
        """
        radius: Any = _radius(1) | {"units": "screen"}
        return Circle(x="x", y="y", radius=radius, fill_color=None, **look)

    def _lay(self, dots: Any, rings: Any) -> None:
        """Lay what moves on the overlay canvas, above a glow, so that the land is not painted with every change."""
        self._glows = [self._glow(times) for times in _GLOWS]
        dots.level = rings.level = "overlay"
        moving = [*self._glows, rings, dots]
        self.figure.renderers = [r for r in self.figure.renderers if r not in moving] + moving
        for renderer in moving:
            renderer.nonselection_glyph = renderer.selection_glyph = None
            renderer.muted_glyph = renderer.hover_glyph = None
        life = CustomJS(args={"dots": self.dots, "rings": self.rings, "arrivals": self.arrivals}, code=_js("map_life"))
        self.arrivals.js_on_change("data", life)
        change = CustomJS(args={"dots": self.dots, "changes": self.changes}, code=_js("map_changes"))
        self.changes.js_on_change("data", change)
        self.figure.tags = [self.arrivals, self.changes]  # nothing draws them: else they would not be sent to the page

    def _glow(self, times: float) -> Any:
        return self.figure.circle(
            "x",
            "y",
            radius=_radius(times),
            radius_units="screen",
            source=self.dots,
            line_color=None,
            fill_color={"field": "cooling", "transform": self._mapper},
            level="overlay",
        )

    def _frame(self) -> None:
        figure = self.figure
        figure.x_range = Range1d(start=-18.6e6, end=19.6e6, bounds=(-_LIMIT_M * 1.1, _LIMIT_M * 1.1), min_interval=2e4)
        figure.y_range = Range1d(start=-6.0e6, end=12.2e6, bounds=(-_LIMIT_M, _LIMIT_M), min_interval=1e4)
        figure.match_aspect = False
        figure.aspect_ratio = None
        figure.lod_threshold = None
        figure.min_border = figure.min_border_left = figure.min_border_right = 0
        figure.min_border_top = figure.min_border_bottom = 0
        # The ocean is the card's: what the canvas paints, its outermost pixels keep after a change of theme.
        figure.outline_line_color = figure.background_fill_color = figure.border_fill_color = None
        figure.sizing_mode = "stretch_both"
        figure.output_backend = "canvas"
        keep = CustomJS(args={"figure": figure, "action": "keep"}, code=_js("map_frame"))
        figure.js_on_change("inner_width", keep)
        figure.js_on_change("inner_height", keep)

    def _add_tools(self, dots: Any) -> None:
        figure = self.figure
        home = CustomJS(args={"figure": figure, "action": "home"}, code=_js("map_frame"))
        hover = HoverTool(
            renderers=[dots], tooltips=_HOVER_CARD, point_policy="snap_to_data", attachment="vertical", show_arrow=False
        )
        pan, wheel = PanTool(), WheelZoomTool(zoom_on_axis=False)
        for tool in (pan, wheel, hover):
            tool.visible = False
        whole = CustomAction(description="Whole world", callback=home, icon=_HOME_ICON)
        buttons = (ZoomInTool(factor=0.4), ZoomOutTool(factor=0.4), whole)
        figure.toolbar.tools = [pan, wheel, hover, *buttons]
        figure.toolbar.active_drag, figure.toolbar.active_scroll = pan, wheel
        figure.toolbar.active_inspect = hover
        figure.toolbar.logo = None
        figure.toolbar.stylesheets = [(_CSS / "map_toolbar.css").read_text("utf-8")]
        figure.toolbar_location = "right"
        figure.toolbar_inner = True
        figure.stylesheets = [(_CSS / "figure.css").read_text("utf-8")]

    def recolour(self, theme: Theme) -> None:
        """Take another theme's colours."""
        self._land.fill_color, self._lines.line_color = theme.land, theme.border
        self._mapper.palette = list(theme.recency)
        self._ring.line_color = theme.recency[0]
        self._dot.line_color = "#000000" if theme.name == "dark" else "#ffffff"
        for glow, alpha in zip(self._glows, _GLOWS.values(), strict=True):
            glow.glyph.fill_alpha = alpha


def _radius(times: float) -> dict[str, Any]:
    """Return the radius of circles that are so many times as wide as the column `size` says."""
    return {"field": "size", "transform": LinearInterpolator(x=[0, 100], y=[0, 50 * times])}


def _js(name: str) -> str:
    return (_JS / f"{name}.js").read_text("utf-8")
