"""The filter bar: one chip for each condition, and a field to type more. What it says goes for the whole page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import param

from glimpse.errors import QueryError
from glimpse.filters import Filter, parse, to_text
from glimpse.views.chips import chips_of, joined, picked, shown, typed
from glimpse.views.parts import Picture, script, style

_encode = msgspec.json.Encoder().encode


class Asked(msgspec.Struct):
    """What a browser asks for: to put a text, to change or take out the chip at a place, to take all out."""

    do: str
    at: int = -1
    text: str = ""


class FilterBar(Picture):
    """The chips of a filter; `where` is the filter as text.

    Attributes
    ----------
    filter
        The same as it is asked with, None for all. It stays here: a browser has no use for it.
    """

    where = param.String("", doc="The filter as text; one with a mistake is kept as it is, and nothing is filtered.")
    asked = param.String("", doc="What the browser asks for, as JSON.")
    problem = param.String("", doc="The mistake in what was typed.")
    _esm = script("words", "filter_bar")
    _stylesheets = style("filter_bar")

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.filter: Filter | None = None
        self.param.watch(lambda change: self._read(change.new), "where")
        self.param.watch(lambda change: self._take(change.new), "asked")
        self._read(self.where)

    def pick(self, field: str, value: object) -> None:
        """Add the condition that a click on a value means, unless it is there."""
        self._try(lambda chips: _with(chips, (picked(field, value),)))

    def _read(self, where: str) -> None:
        try:
            found = parse(where) if where.strip() else None
        except QueryError as problem:
            self.filter = None
            self.param.update(problem=str(problem), state=_drawn(()))
            return
        if found != self.filter or not self.state:
            self.filter = found
            self.param.update(problem="", state=_drawn(chips_of(found)))

    def _take(self, asked: str) -> None:
        try:
            what = msgspec.json.decode(asked, type=Asked)
        except msgspec.MsgspecError:
            return
        match what.do:
            case "put":
                self._try(lambda chips: _with(chips, typed(what.text)))
            case "change" if what.at >= 0:
                self._try(lambda chips: chips[: what.at] + typed(what.text) + chips[what.at + 1 :])
            case "remove" if what.at >= 0:
                self._try(lambda chips: chips[: what.at] + chips[what.at + 1 :])
            case "clear":
                self._try(lambda _: ())
            case _:
                return

    def _try(self, change: Callable[[tuple[Filter, ...]], tuple[Filter, ...]]) -> None:
        try:
            chips = change(chips_of(self.filter))
            together = joined(chips)
            where = "" if together is None else to_text(together)
        except QueryError as problem:
            self.problem = str(problem)
            return
        self.filter = together
        self.param.update(problem="", state=_drawn(chips), where=where)


def _with(chips: tuple[Filter, ...], more: tuple[Filter, ...]) -> tuple[Filter, ...]:
    return chips + tuple(chip for chip in more if chip not in chips)


def _drawn(chips: tuple[Filter, ...]) -> str:
    return _encode([shown(chip) for chip in chips]).decode()
