"""The tiles: five numbers, each with the span as a line and its formula in a tooltip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import panel as pn

from glimpse.live import LiveNumbers
from glimpse.live.numbers import Minute
from glimpse.views.board import Board, BoardSpan
from glimpse.views.metrics import FORMULAS, FORMULAS_OF_SPANS
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
        self._tiles.state = board.json("kpis", lambda b: _state(b) if b.span is None else _state_of_span(b, b.span))


def first_state(board: Board) -> str:
    """Return what the tiles show as JSON, for where they are drawn before a page is there."""
    return board.json("kpis", _state)


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


def _state_of_span(board: Board, span: BoardSpan) -> list[dict[str, Any]]:
    numbers, before = board.numbers, span.before
    steps = numbers.per_minute[:-1] if span.goes_on else numbers.per_minute
    here = numbers.open_sessions if span.goes_on else None
    said = _back_from_now(span)
    shown = [
        ("Active sessions", here, _presence(numbers) if span.goes_on else ["not in this span"], []),
        ("Events", numbers.events, said, [step.events for step in steps]),
        ("Page views", numbers.page_views, said, [step.page_views for step in steps]),
        ("Sessions", numbers.sessions, said, [step.sessions for step in steps]),
        ("Bounce rate", numbers.bounce_rate, said, []),
    ]
    was = {"Events": before["events"], "Page views": before["page_views"], "Sessions": before["sessions"]}
    changes: dict[str, tuple[float, str]] = {
        name: (value / was[name] - 1, "%") for name, value, _, _ in shown if value is not None and was.get(name)
    }
    if numbers.bounce_rate is not None and before["sessions"]:
        changes["Bounce rate"] = (numbers.bounce_rate - before["bounces"] / before["sessions"], "points")
    formulas = FORMULAS | FORMULAS_OF_SPANS
    return [
        {"name": name, "value": value, "note": note, "line": line, "formula": formulas[name]}
        | {"change": changes.get(name), "of_change": formulas["Change, of a span"]}
        | ({} if note else {"span": [span.since, span.until], "tz": span.tz})
        for name, value, note, line in shown
    ]


def _back_from_now(span: BoardSpan) -> list[str | int]:
    """Return the words for a span that ends now; none for another one, whose ends the browser writes."""
    minutes = round((span.until - span.since) / 60_000)
    units = ((1440, "days"), (60, "hours"), (1, "minutes"))
    much, name = next((minutes // size, name) for size, name in units if minutes % size == 0)
    if not span.goes_on or name == "minutes":
        return []
    return ["last ", *([24, " hours"] if (much, name) == (1, "days") else [much, f" {name}"] if much > 1 else ["hour"])]


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
