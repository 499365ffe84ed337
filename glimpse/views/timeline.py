"""Events a minute, over a long span an hour or a day, stacked by type. HoloViews builds it; ticks patch heights."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar
from weakref import ref

import holoviews as hv
import msgspec
import numpy as np
import panel as pn
import param
from bokeh.models import (
    ColumnDataSource,
    CustomJSHover,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    Range1d,
    TapTool,
)

from glimpse.live.numbers import SPAN_MINUTES
from glimpse.views.board import Board, BoardSpan
from glimpse.views.hover_card import hover_card
from glimpse.views.labels import event_label
from glimpse.views.parts import LiveView, Picture, call_on_tap, script, style, weak_hook
from glimpse.views.tokens import FONT, OTHER_SLOT, THEMES, TYPE_SLOTS, Theme, ThemeName

import_module("holoviews.plotting.bokeh")
hv.Store.set_current_backend("bokeh")
OTHER = "other"
TABLE_EVERY_MS = 1_000
_TABLE_NAMES = 12
_encode = msgspec.json.Encoder().encode
_GAP = 0.09
_RUNNING_ALPHA = 0.55
REDRAW_EVERY_S = 0.5  # bars of minutes: their axes are measured anew each time, which costs more than the bars
_TICKS = [-25, -20, -15, -10, -5, 0]  # of the window
_MOST_TICKS = 6
_STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15)
_CSS, _JS = (Path(__file__).parent / name for name in ("css", "js"))
_WORDS, _TIMES, _OF_TICK, _OF_CARD = (
    (_JS / f"{name}.js").read_text("utf-8") for name in ("durations", "times", "bar_tick", "bar_card")
)
_HOVER_CARD = hover_card("@name: @n{said}", quiet="of @total{said} events, @when{said}")


class Legend(Picture):
    """The chart's title, and which colour is which type."""

    is_table = param.Boolean(default=False, doc="Whether the numbers are shown in place of the bars.")
    minutes = param.String("", doc="The numbers as JSON, while they are shown.")
    _esm = script("table", "figure", "times", "type_legend")
    _stylesheets = style("table", "type_legend")


class _Drawn:
    """One drawing of the chart."""

    def __init__(self, plot: Any) -> None:
        self.plot = ref(plot)
        self.figure = plot.state
        self.bars: ColumnDataSource = plot.handles["source"]
        self._glyph = plot.handles["glyph"]
        self.top = 0.0
        self.span: object = None  # which steps it has; None for the window's minutes
        self.shown: tuple[object, int] = (None, 0)  # which board in which theme, and its version
        self._dress(plot.handles["glyph_renderer"])

    def _dress(self, bars: Any) -> None:
        figure = self.figure
        self.bars.data = _columns(None, THEMES["dark"])
        self._glyph.update(
            left="left",
            right="right",
            bottom="bottom",
            top="top",
            fill_color="color",
            fill_alpha="opacity",
            line_color=None,
            hatch_color=None,
        )
        bars.nonselection_glyph = bars.selection_glyph = bars.muted_glyph = None
        figure.x_range = Range1d(start=0.5 - SPAN_MINUTES, end=0.5)
        figure.y_range = Range1d(start=0, end=5)
        self.bars.tags = [{}]
        figure.xaxis.ticker = FixedTicker(ticks=_TICKS)
        figure.xaxis.formatter = CustomJSTickFormatter(args={"bars": self.bars}, code=_WORDS + _TIMES + _OF_TICK)
        said = CustomJSHover(code="return value.toLocaleString()")
        when = CustomJSHover(args={"bars": self.bars}, code=_WORDS + _TIMES + _OF_CARD)
        figure.toolbar.tools = [
            HoverTool(
                renderers=[bars],
                tooltips=_HOVER_CARD,
                formatters={"@n": said, "@total": said, "@when": when},
                attachment="vertical",
                show_arrow=False,
            ),
            TapTool(renderers=[bars]),
        ]
        figure.toolbar_location = None
        figure.outline_line_color = figure.background_fill_color = figure.border_fill_color = None
        figure.min_border_top, figure.min_border_right, figure.min_border_left = 8, 18, 34
        figure.sizing_mode = "stretch_both"
        figure.output_backend = "canvas"  # HoloViews' own, WebGL, is read back pixel by pixel where there is no GPU
        figure.stylesheets = [(_CSS / "figure.css").read_text("utf-8")]

    def show_span(self, span: BoardSpan | None, columns: dict[str, Any]) -> None:
        """Take another span: as many bars as it has steps, with its times below."""
        figure, steps = self.figure, len(columns["n"]) // TYPE_SLOTS
        self.bars.tags = [
            {"unit": span.unit, "tz": span.tz, "starts": columns["when"][::TYPE_SLOTS].tolist()} if span else {}
        ]
        figure.x_range.update(start=0.5 - steps, end=0.5)
        every = max(1, steps // _MOST_TICKS)
        figure.xaxis.ticker = FixedTicker(ticks=list(range(-every // 2, -steps, -every)) if span else _TICKS)
        self.bars.data = columns

    def recolour(self, theme: Theme) -> None:
        """Take another theme's colours."""
        figure = self.figure
        figure.xgrid.grid_line_color = None
        figure.ygrid.grid_line_color = theme.line
        figure.ygrid.grid_line_alpha = 0.8
        for axis in (*figure.xaxis, *figure.yaxis):
            axis.update(
                axis_line_color=theme.line if axis in figure.xaxis else None,
                major_tick_line_color=None,
                minor_tick_line_color=None,
                major_label_text_color=theme.faint,
                major_label_text_font=FONT,
                major_label_text_font_size="11px",
                axis_label="",
            )
        figure.yaxis.formatter = CustomJSTickFormatter(code="return tick.toLocaleString()")
        figure.yaxis.ticker.desired_num_ticks = 3
        figure.yaxis.ticker.min_interval = 1


class Timeline(LiveView):
    """How much is happening, minute by minute."""

    alone_styles: ClassVar[dict[str, str]] = {"height": "190px"}

    def _build(self) -> pn.viewable.Viewable:
        self._drawings: list[_Drawn] = []
        bars = hv.Rectangles([(0, 0, 1, 0, "#000000")], vdims=["color"]).opts(
            color="color",
            responsive=True,
            toolbar=None,
            default_tools=[],
            tools=[],
            hooks=[weak_hook(self._on_drawn)],
            title="",
        )
        self._pane = pn.pane.HoloViews(
            bars, sizing_mode="stretch_both", min_height=0, margin=0, linked_axes=False, css_classes=["g-bars"]
        )
        self._legend = Legend(sizing_mode="stretch_width", margin=0, css_classes=["g-types"])
        self._legend.param.watch(lambda change: self._show_table(is_shown=change.new), "is_table")
        self._pick_from(self._legend)
        self._redrawn_at = 0.0
        self._waiting: Board | None = None
        self._board: Callable[[], Board | None] = lambda: None
        self.pull.watch(self._catch_up)
        return pn.Column(
            self._legend,
            self._pane,
            stylesheets=style("timeline"),
            css_classes=["g-timeline"],
            margin=0,
            sizing_mode="stretch_both",
        )

    def _show_table(self, *, is_shown: bool) -> None:
        self.layout.css_classes = ["g-timeline", *(["g-as-table"] if is_shown else [])]
        self._redraw_soon()

    def _on_drawn(self, plot: Any, _element: Any) -> None:
        drawn = _Drawn(plot)
        drawn.recolour(THEMES[self.theme])
        call_on_tap(drawn.bars, self._on_tap)
        self._drawings = [old for old in self._drawings if old.plot() is not None] + [drawn]
        self._redraw_soon()

    def _on_tap(self, _bars: Any, row: int) -> None:
        """Filter by the type of a bar; all others together are none."""
        board = self._board()
        slot = row % TYPE_SLOTS
        name = next((name for name, its in board.slots.items() if its == slot != OTHER_SLOT), None) if board else None
        if name is not None:
            self.picked = ("name", name)
            self.picked = None

    def refresh(self, board: Board) -> None:
        """Patch the bars that changed, or do it a little later: this soon after the last time it would not be seen."""
        self._waiting = board
        self._catch_up()

    def _catch_up(self) -> None:
        board, now = self._waiting, time.monotonic()
        if board is not None and (now - self._redrawn_at >= REDRAW_EVERY_S or board is not self._board()):
            self._board, self._waiting, self._redrawn_at = ref(board), None, now
            with pn.io.hold():
                self._redraw(board)

    def _redraw_soon(self) -> None:
        self._redrawn_at = 0.0
        self.pull.refresh_soon()

    def _redraw(self, board: Board) -> None:
        theme = THEMES[self.theme]
        columns, top = board.made(f"bars.{theme.name}", lambda b: (_columns(b, theme), _nice_top(b)))
        self._drawings = [drawn for drawn in self._drawings if drawn.plot() is not None]
        for drawn in self._drawings:
            _patch(drawn, board, theme, columns)
            if drawn.top != top:
                drawn.figure.y_range.end = 1.03 * top  # the topmost line of the grid is in it
                drawn.top = top
        self._legend.state = board.json("type_legend", _legend)
        if self._legend.is_table:
            self._legend.minutes = board.lasting("minutes", TABLE_EVERY_MS, _minutes)
        pn.io.push_notebook(self._pane)

    def _recolour(self, theme: ThemeName) -> None:
        super()._recolour(theme)
        for drawn in self._drawings:
            drawn.recolour(THEMES[theme])
        self._redraw_soon()
        pn.io.push_notebook(self._pane)


def _patch(drawn: _Drawn, board: Board, theme: Theme, columns: dict[str, Any]) -> None:
    """Send the bars that differ: in a busy minute, those of the minute that is running.

    Which differ is found out once for all viewers who were shown the same before.
    """
    began = board.numbers.per_minute[0].t if board.span and board.numbers.per_minute else None
    wanted = board.span and (board.span.unit, board.span.tz, began, len(columns["n"]))
    if drawn.span != wanted:
        drawn.span = wanted
        drawn.show_span(board.span, columns)
    old, (shown, version) = drawn.bars.data, drawn.shown
    this = (ref(board), theme.name)
    if shown == this:
        patches = board.made(f"bars.{theme.name}.since.{version}", lambda _: _differences(old, columns))
    else:
        patches = _differences(old, columns)
    drawn.shown = (this, board.version)
    if patches:
        drawn.bars.patch(patches)


def _differences(old: Any, columns: dict[str, Any]) -> dict[str, list[tuple[int, Any]]]:
    patches = {}
    for name, new in columns.items():
        rows = np.flatnonzero(np.asarray(old[name]) != new)
        if len(rows):
            values = new.tolist()
            patches[name] = [(int(row), values[row]) for row in rows]
    return patches


def _columns(board: Board | None, theme: Theme) -> dict[str, Any]:
    """Return one rectangle for each minute and slot, from the oldest minute on, stacked by slot."""
    span = board.span if board is not None else None
    minutes = board.numbers.per_minute[-SPAN_MINUTES if span is None else 0 :] if board is not None else []
    steps = SPAN_MINUTES if span is None else len(minutes)
    counts = np.zeros((steps, TYPE_SLOTS))
    names = np.full(TYPE_SLOTS, OTHER, dtype=object)
    if board is not None:
        for name, slot in board.slots.items():
            names[slot] = event_label(name)
        for row, minute in enumerate(minutes):
            for name, n in minute.by_name.items():
                counts[row, board.slot(name)] += n
    tops = counts.cumsum(axis=1)
    back = np.repeat(np.arange(steps) - steps + 1.0, TYPE_SLOTS)
    is_running = (back == 0) & (span is None or span.goes_on)  # it is not all there yet
    return {
        "left": back - 0.5 + _GAP,
        "right": back + 0.5 - _GAP,
        "bottom": (tops - counts).ravel(),
        "top": tops.ravel(),
        "opacity": np.where(is_running, _RUNNING_ALPHA, 1.0),
        "color": np.tile(np.array(theme.types, dtype=object), steps),
        "name": np.tile(names, steps),
        "n": counts.ravel(),
        "total": np.repeat(tops[:, -1], TYPE_SLOTS),
        # How many minutes ago a step began; of another span than the window's, when.
        "when": -back if span is None else np.repeat([float(minute.t) for minute in minutes], TYPE_SLOTS),
    }


def _nice_top(board: Board) -> float:
    most = max((minute.events for minute in board.numbers.per_minute), default=0)
    unit = 10 ** max(0, len(str(most)) - 1)
    return float(max(5, next(unit * step for step in _STEPS if unit * step >= most * 1.05)))


def _minutes(board: Board) -> str:
    """Return a row for each minute, the running one first: when it began, all events, and those of each type."""
    names = [line.name for line in board.numbers.top_names if line.name][:_TABLE_NAMES]
    rows = [
        [minute.t, minute.events, *(minute.by_name.get(name, 0) for name in names)]
        for minute in reversed(board.numbers.per_minute[-SPAN_MINUTES if board.span is None else 0 :])
    ]
    return _encode({"names": [event_label(name) for name in names], "rows": rows} | _told(board)).decode()


def _told(board: Board) -> dict[str, Any]:
    """Return how a browser says a span's times; nothing of the window."""
    span = board.span
    return {name: getattr(span, name) for name in ("since", "until", "unit", "tz")} if span else {}


def _legend(board: Board) -> dict[str, Any]:
    counts: dict[int, int] = {}
    for minute in board.numbers.per_minute:
        for name, n in minute.by_name.items():
            slot = board.slot(name)
            counts[slot] = counts.get(slot, 0) + n
    names = {slot: name for name, slot in board.slots.items()} | {OTHER_SLOT: None}
    types = [
        {"slot": slot, "name": names.get(slot), "label": event_label(names.get(slot) or OTHER), "n": n}
        for slot, n in sorted(counts.items())
        if slot in names
    ]
    return {"types": types, "events": board.numbers.events} | _told(board)
