"""All places of a project as columns of numbers, in an order that stays, so that they can be summed without a loop.

A place keeps its row while it lives. What has gone leaves an empty row; when there are many, all rows are written
anew and the `generation` grows. What a map draws of them: `map_cells` and `map_countries`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from glimpse.geo.borders import load_borders
from glimpse.geo.mercator import to_mercator
from glimpse.live import LiveNumbers, PlaceNow
from glimpse.live.places import Key

Numbers = NDArray[np.float64]
SUMMED = ("count", "active", "events")
_KEPT = (*SUMMED, "last_event_at")
_MOST_EMPTY = 64
NOWHERE = -1  # the country of what lies in none that is drawn


@cache
def country_numbers() -> dict[str | None, int]:
    """Return where a country's shape stands among those of `load_borders`, by its code."""
    return {country.code: n for n, country in enumerate(load_borders().countries) if country.code}


class PlaceRows:
    """Columns of all places.

    Attributes
    ----------
    version
        Grows whenever newer numbers are taken up.
    generation
        Grows when places get other rows.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.version = 0
        self.as_of = 0
        self._rows: dict[Key, int] = {}
        self._places: list[PlaceNow | None] = []
        self._numbers = np.zeros((len(_KEPT), 0))
        self._metres = np.zeros((2, 0))
        self._countries = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def take(self, numbers: LiveNumbers) -> None:
        """Take up a newer state of all places."""
        self.version += 1
        self.as_of = numbers.as_of
        rows, places = self._rows, self._places
        known, changed = len(places), list[int]()
        for place in numbers.places:
            row = rows.get(place.key)
            if row is None:
                rows[place.key] = len(places)
                places.append(place)
            elif places[row] is not place:
                places[row] = place
                changed.append(row)
        if len(places) > known:
            self._add(places[known:])
        self._numbers[:, changed] = _numbers([places[row] for row in changed])
        if len(rows) != len(numbers.places):
            self._let_go(numbers)

    def at(self, row: int) -> PlaceNow | None:
        """Return the place in a row, None when it has gone."""
        return self._places[row] if 0 <= row < len(self._places) else None

    def row(self, key: Key) -> int | None:
        """Return where a place stands."""
        return self._rows.get(key)

    @property
    def summed(self) -> Numbers:
        """Open sessions, active ones and events, one row each; of an empty row, zero."""
        return self._numbers[: len(SUMMED)]

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which rows are not empty: somebody is there, or was."""
        return (self._numbers[0] > 0) | (self._numbers[2] > 0)

    @property
    def heard(self) -> Numbers:
        """When the last event of each place came."""
        return self._numbers[len(SUMMED)]

    @property
    def metres(self) -> Numbers:
        """Easting and northing in Web Mercator, one row each."""
        return self._metres

    @property
    def countries(self) -> NDArray[np.int64]:
        """In which country each place lies, as `country_numbers` counts them, or `NOWHERE`."""
        return self._countries

    def _add(self, places: list[PlaceNow | None]) -> None:
        there = [place for place in places if place]
        east, north = to_mercator([place.lat for place in there], [place.lon for place in there])
        codes = country_numbers()
        self._numbers = np.concatenate([self._numbers, _numbers(places)], axis=1)
        self._metres = np.concatenate([self._metres, [east, north]], axis=1)
        added = np.array([codes.get(place.country, NOWHERE) for place in there], dtype=np.int64)
        self._countries = np.concatenate([self._countries, added])

    def _let_go(self, numbers: LiveNumbers) -> None:
        there = {place.key for place in numbers.places}
        for key in [key for key in self._rows if key not in there]:
            row = self._rows.pop(key)
            self._places[row] = None
            self._numbers[:, row] = 0
        if len(self._places) - len(self._rows) > max(_MOST_EMPTY, len(self._rows) // 4):
            self._write_anew()

    def _write_anew(self) -> None:
        self._places = [place for place in self._places if place is not None]
        self._rows = {place.key: row for row, place in enumerate(self._places) if place}
        self._numbers, self._metres = np.zeros((len(_KEPT), 0)), np.zeros((2, 0))
        self._countries = np.zeros(0, dtype=np.int64)
        self._add(self._places)
        self.generation += 1


def _numbers(places: list[PlaceNow | None]) -> Numbers:
    rows = [(p.count, p.active, p.events, p.last_event_at) if p else (0, 0, 0, 0) for p in places]
    return np.array(rows, dtype=np.float64).reshape(-1, len(_KEPT)).T
