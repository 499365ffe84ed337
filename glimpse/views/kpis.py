"""The tiles: five numbers, each with its last half hour as a line and its formula in a tooltip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import panel as pn

from glimpse.live import LiveNumbers
from glimpse.live.numbers import Minute
from glimpse.views.board import Board
from glimpse.views.metrics import FORMULAS
from glimpse.views.parts import LiveView, Picture, script, style

CHANGE_MINUTES = 5


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
    changes = changes_of(full[first:])
    shown = [
        ("Active sessions", numbers.open_sessions, _presence(numbers), [m.active for m in minutes]),
        ("Events a minute", numbers.events_last_minute, ["last 60 seconds"], [m.events for m in full]),
        ("Page views", numbers.page_views, _span(numbers), [m.page_views for m in full]),
        ("Sessions", numbers.sessions, _span(numbers), [m.sessions for m in full]),
        ("Bounce rate", numbers.bounce_rate, _span(numbers), [m.bounce_rate for m in full]),
    ]
    return [
        {"name": name, "value": value, "note": note, "line": _from(first, line), "formula": FORMULAS[name]}
        | {"change": changes.get(name), "of_change": FORMULAS["Change"]}
        for name, value, note, line in shown
    ]


def changes_of(known: Sequence[Minute]) -> dict[str, tuple[float, str]]:
    """Return by how much each tile's number has changed, and in what: parts of a hundred, or points of a rate.

    Parameters
    ----------
    known
        The full minutes that are known, the newest last.
    """
    if len(known) < 2 * CHANGE_MINUTES:
        return {}
    now, before = known[-CHANGE_MINUTES:], known[-2 * CHANGE_MINUTES : -CHANGE_MINUTES]
    counted: dict[str, Callable[[Minute], int]] = {
        "Active sessions": lambda minute: minute.active,
        "Events a minute": lambda minute: minute.events,
        "Page views": lambda minute: minute.page_views,
        "Sessions": lambda minute: minute.sessions,
    }
    sums = {name: (sum(map(count, now)), sum(map(count, before))) for name, count in counted.items()}
    changes: dict[str, tuple[float, str]] = {name: (n / was - 1, "%") for name, (n, was) in sums.items() if was}
    rates = [sum(m.bounces for m in some) / (sum(m.sessions for m in some) or 1) for some in (now, before)]
    if all(sums["Sessions"]):
        changes["Bounce rate"] = (rates[0] - rates[1], "points")
    return changes


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
