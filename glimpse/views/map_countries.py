"""The country layer: who is in each country, and how dark it is drawn.

Shades go by classes with round bounds, 1, 2, 5, 10, 20 and so on: a legend can name them, and a country changes its
shade seldom, which is what makes the browser paint the land anew.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glimpse.geo.borders import load_borders
from glimpse.views.place_rows import SUMMED, Numbers, PlaceRows

Measure = Literal["sessions", "events"]
SHADES = 5
_COLUMN: dict[Measure, int] = {"sessions": 0, "events": 2}


@cache
def painted() -> list[int]:
    """Return the countries in the order in which they are painted: what lies within another comes after it."""
    return sorted(range(len(load_borders().countries)), key=lambda n: -_extent(n))


def _extent(number: int) -> float:
    outer = [rings[0] for rings in load_borders().countries[number].polygons]
    return float(max(np.prod(np.ptp(ring, axis=0)) for ring in outer))


@cache
def shapes() -> tuple[dict[str, Any], list[int], list[str], list[str]]:
    """Return all land as one shape with gaps, where each country begins in it (last, its end), codes and names."""
    countries = [load_borders().countries[n] for n in painted()]
    lines = [[rings[0] for rings in country.polygons] for country in countries]
    ends = np.cumsum([sum(len(line) + 1 for line in of_one) for of_one in lines])
    surface = with_gaps([line for of_one in lines for line in of_one])
    return surface, [0, *ends.tolist()], [c.code or "" for c in countries], [c.name for c in countries]


def with_gaps(parts: list[NDArray[np.float64]]) -> dict[str, Any]:
    """Join lines of shape (n, 2); a metre is enough, and half as long on its way."""
    gap = np.full((1, 2), np.nan)
    joined = np.concatenate([part for line in parts for part in (line, gap)]).astype(np.float32)
    return {"xs": [joined[:, 0].copy()], "ys": [joined[:, 1].copy()]}


def by_country(places: PlaceRows) -> Numbers:
    """Return open sessions, active ones and events (rows) of each country as painted, and last of none of them."""
    there = len(load_borders().countries)
    summed = [np.bincount(places.countries + 1, weights=column, minlength=there + 1) for column in places.summed]
    return np.stack(summed).astype(np.float64)[:, [*(n + 1 for n in painted()), 0]]


def bounds(most: float) -> list[int]:
    """Return from which number on each shade is, the faintest first; of nothing, none."""
    round_numbers = [step * 10**power for power in range(12) for step in (1, 2, 5) if step * 10**power <= most]
    return [1, *round_numbers[1:][-(SHADES - 1) :]] if round_numbers else []


def shaded(places: PlaceRows, measure: Measure) -> tuple[dict[str, Any], list[int], int]:
    """Return the layer's columns (a row for each country), the shades' bounds, and how much is on no shape."""
    numbers = by_country(places)
    counted = numbers[_COLUMN[measure]]
    steps = bounds(float(counted[:-1].max(initial=0)))
    shades = np.searchsorted(steps, counted[:-1], side="right").astype(np.float64) - 1
    columns = {"shade": shades, **{name: numbers[n, :-1] for n, name in enumerate(SUMMED)}}
    return columns, steps, int(counted[-1])
