"""The places of a project as rows of columns, in an order that stays, so that a map can be patched.

A place keeps its row while it lives. What has gone leaves an empty row; when there are many, all rows are written
anew and the `generation` grows.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glimpse.geo.borders import load_borders
from glimpse.geo.mercator import to_mercator
from glimpse.live import LiveNumbers, PlaceNow
from glimpse.views.tokens import FRESH_FOR_S

EMBER_PX = 4.0  # a place where somebody was
LARGEST_PX = 46.0
SMALLEST_PX = 2.5
_SCALES = ((12, 1.4), (60, 1.1), (200, 0.9), (600, 0.65), (1500, 0.5), (10**9, 0.38))
_MOST_EMPTY = 64
CHANGING = ("size", "heard", "count", "active", "events")
COLUMNS = ("x", "y", *CHANGING, "cooling", "place", "country", "ago", "here")


def crowd_scale(places: int) -> float:
    """Return how large dots are drawn: a few must be seen, thousands must leave the map to be seen.

    In steps, so that one more place does not change every dot.
    """
    return next(scale for most, scale in _SCALES if places <= most)


def dot_px(open_sessions: int, scale: float = 1.0) -> float:
    """Return a dot's diameter: its area grows with the sessions there."""
    if not open_sessions:
        return max(SMALLEST_PX, EMBER_PX * scale)
    return max(SMALLEST_PX, min(LARGEST_PX, 7.0 + 4.0 * sqrt(open_sessions - 1)) * scale)


def cooling(age_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far places have cooled, 0 to 1: quickly at first, as what has just happened matters most."""
    return np.sqrt(np.clip(age_s / FRESH_FOR_S, 0, 1))


def place_name(place: PlaceNow) -> str:
    """Return the city, or the best that is known instead."""
    return place.city or place.region or "Somewhere"


def _country_name(place: PlaceNow) -> str:
    return load_borders().names.get(place.country or "", place.country or "unknown country")


class PlaceRows:
    """Columns of all places, with the version at which each row changed."""

    def __init__(self) -> None:
        self.generation = 0
        self.version = 0
        self.as_of = 0
        self.scale = crowd_scale(0)
        self._rows: dict[tuple[float, float], int] = {}
        self._places: list[PlaceNow | None] = []
        self._changed_at: list[int] = []

    def __len__(self) -> int:
        return len(self._places)

    def take(self, numbers: LiveNumbers) -> None:
        """Take up a newer state of all places."""
        self.version += 1
        self.as_of = numbers.as_of
        rows, places = self._rows, self._places
        for place in numbers.places:
            row = rows.get(place.key)
            if row is None:
                rows[place.key] = len(places)
                places.append(place)
                self._changed_at.append(self.version)
            elif places[row] is not place:
                places[row] = place
                self._changed_at[row] = self.version
        if len(rows) != len(numbers.places):
            self._let_go(numbers)
        if crowd_scale(len(rows)) != self.scale:
            self.scale = crowd_scale(len(rows))
            self._write_anew()

    def changed_since(self, version: int) -> list[int]:
        """Return the rows that changed after a version."""
        if version >= self.version:
            return []
        return np.flatnonzero(np.asarray(self._changed_at) > version).tolist()

    def columns(self, rows: slice | list[int]) -> dict[str, Any]:
        """Return some rows in full."""
        places = self._places[rows] if isinstance(rows, slice) else [self._places[row] for row in rows]
        x, y = to_mercator(_column(places, "lat"), _column(places, "lon"))
        numbers = self._numbers(places)
        return {
            "x": x,
            "y": y,
            **numbers,
            "cooling": cooling((self.as_of - numbers["heard"]) / 1000),
            "place": [place_name(p) if p else "" for p in places],
            "country": [_country_name(p) if p else "" for p in places],
            "ago": [""] * len(places),
            "here": [""] * len(places),
        }

    def changes(self, rows: list[int]) -> dict[str, NDArray[np.float64]]:
        """Return what may have changed in some rows, and which rows they are."""
        return {"row": np.array(rows, dtype=np.float64), **self._numbers([self._places[row] for row in rows])}

    def dots_at(self, keys: list[tuple[float, float]]) -> tuple[NDArray[np.float64], ...]:
        """Return easting, northing and diameter of places; of none, one dot of no size."""
        found = [place for key in keys if (row := self._rows.get(key)) is not None and (place := self._places[row])]
        if not found:
            return np.zeros(1), np.zeros(1), np.zeros(1)
        x, y = to_mercator([place.lat for place in found], [place.lon for place in found])
        return x, y, np.array([dot_px(place.count, self.scale) for place in found])

    def _numbers(self, places: list[PlaceNow | None]) -> dict[str, NDArray[np.float64]]:
        return {
            "size": np.array([dot_px(p.count, self.scale) if p else 0.0 for p in places]),
            "heard": _column(places, "last_event_at"),
            **{name: _column(places, name) for name in ("count", "active", "events")},
        }

    def _let_go(self, numbers: LiveNumbers) -> None:
        there = {place.key for place in numbers.places}
        for key in [key for key in self._rows if key not in there]:
            row = self._rows.pop(key)
            self._places[row] = None
            self._changed_at[row] = self.version
        if len(self._places) - len(self._rows) > max(_MOST_EMPTY, len(self._rows) // 4):
            self._write_anew()

    def _write_anew(self) -> None:
        self._places = [place for place in self._places if place is not None]
        self._rows = {place.key: row for row, place in enumerate(self._places) if place}
        self._changed_at = [self.version] * len(self._places)
        self.generation += 1


def _column(places: list[PlaceNow | None], name: str) -> NDArray[np.float64]:
    return np.array([getattr(place, name) if place else 0 for place in places], dtype=np.float64)
