"""All land as one SVG path in Web Mercator, which small maps within pictures are drawn of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise

import numpy as np

from glimpse.geo.borders import load_borders
from glimpse.geo.mercator import to_mercator
from glimpse.views.map_cells import WORLD_M

WHOLE = 480  # units from one end of the world to the other, in both directions: the path has 24 KB
_LEAST_POINTS = 4  # a ring with fewer is no island that could be seen
_LEAST_STEP_SQUARED = 2
Point = tuple[int, int]


@cache
def land_path() -> str:
    """Return the path's data, in whole units: each country's outlines."""
    rings = (_thinned(_units(rings[0])) for country in load_borders().countries for rings in country.polygons)
    return "".join(_drawn(ring) for ring in rings if len(ring) >= _LEAST_POINTS)


def unit_of(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Return where a place lies on it: to the right, and down."""
    x, y = (float(metres) for metres in to_mercator(lat_deg, lon_deg))
    return (x / WORLD_M + 0.5) * WHOLE, (0.5 - y / WORLD_M) * WHOLE


def _units(ring: np.ndarray) -> list[Point]:
    return np.rint((ring / WORLD_M * (1, -1) + 0.5) * WHOLE).astype(int).tolist()


def _thinned(ring: Iterable[Point]) -> list[Point]:
    """Leave out what lies beside the point before, as hardly a pixel would tell."""
    kept: list[Point] = []
    for x, y in ring:
        if not kept or (x - kept[-1][0]) ** 2 + (y - kept[-1][1]) ** 2 >= _LEAST_STEP_SQUARED:
            kept.append((x, y))
    return kept


def _drawn(ring: list[Point]) -> str:
    steps = " ".join(f"{x1 - x0} {y1 - y0}" for (x0, y0), (x1, y1) in pairwise(ring))
    return f"M{ring[0][0]} {ring[0][1]}l{steps}z"
