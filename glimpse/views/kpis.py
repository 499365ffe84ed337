"""The tiles: five numbers, each with its last half hour as a line and its formula in a tooltip."""

from __future__ import annotations

from typing import Any

import panel as pn

from glimpse.live import LiveNumbers
from glimpse.views.board import Board
from glimpse.views.metrics import FORMULAS
from glimpse.views.parts import LiveView, Picture, script, style


class Tiles(Picture):
    """The drawing."""

    _esm = script("words", "kpis")
    _stylesheets = style("kpis")


class Kpis(LiveView):
    """Active sessions, events a minute, page views, sessions, bounce rate."""

    def _build(self) -> pn.viewable.Viewable:
        self._tiles = Tiles(sizing_mode="stretch_width", margin=0)
        return pn.Column(self._tiles, sizing_mode="stretch_width", margin=0, css_classes=["g-kpis"])

    def refresh(self, board: Board) -> None:
        """Send the numbers."""
        self._tiles.state = board.json("kpis", _state)


def _state(board: Board) -> list[dict[str, Any]]:
    numbers = board.numbers
    minutes = numbers.per_minute
    full = minutes[:-1]  # the minute that is running would look like a fall
    first = next((i for i, m in enumerate(minutes) if m.events or m.active), len(minutes))
    shown = [
        ("Active sessions", numbers.open_sessions, _presence(numbers), [m.active for m in minutes]),
        ("Events a minute", numbers.events_last_minute, ["last 60 seconds"], [m.events for m in full]),
        ("Page views", numbers.page_views, _span(numbers), [m.page_views for m in full]),
        ("Sessions", numbers.sessions, _span(numbers), [m.sessions for m in full]),
        ("Bounce rate", numbers.bounce_rate, _span(numbers), [m.bounce_rate for m in full]),
    ]
    return [
        {"name": name, "value": value, "note": note, "line": _from(first, line), "formula": FORMULAS[name]}
        for name, value, note, line in shown
    ]


def _from(first: int, line: list[Any]) -> list[Any]:
    """Return a line that begins with the first minute that is known: before it there was no zero, but nothing."""
    return [None] * min(first, len(line)) + line[first:]


def _presence(numbers: LiveNumbers) -> list[str | int]:
    """Return words and numbers in turn: the browser knows how its language writes numbers."""
    return [numbers.active, " looking · ", numbers.idle, " idle"] if numbers.open_sessions else ["right now"]


def _span(numbers: LiveNumbers) -> list[str | int]:
    minutes = round((numbers.as_of - numbers.covers_since) / 60_000)
    if minutes >= len(numbers.per_minute) - 1:
        return ["last 30 minutes"]
    return ["last minute" if minutes <= 1 else f"last {minutes} minutes"]
