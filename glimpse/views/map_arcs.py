"""Arcs over the map: from each country where somebody is now to where the site is at home.

An arc begins at the country's place with most open sessions. How wide it is says how many are open in the country:
three widths, so that all arcs are three shapes with gaps, whatever the number of countries.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glimpse.geo.mercator import to_mercator
from glimpse.views.place_rows import Numbers, PlaceRows

Home = tuple[float, float]  # latitude and longitude in degrees
WIDTHS_PX = (0.9, 1.7, 2.8)
FROM_SHARE = (0.0, 0.1, 0.4)  # of what the busiest country has: from there on an arc is so wide
POINTS = 25
_LIFT = 0.22  # how high an arc rises, as a share of its length


def arcs(places: PlaceRows, home: Home | None) -> dict[str, Any]:
    """Return the columns of all arcs, a row for each of `WIDTHS_PX`: `xs`, `ys` (Web Mercator, in metres), `width`."""
    empty = np.zeros(0, dtype=np.float32)
    if home is None:
        return {"xs": [], "ys": [], "width": []}
    begin, counts = _begins(places)
    end = np.concatenate(to_mercator([home[0]], [home[1]]))
    lines = _curves(begin, end)
    widths = np.searchsorted(FROM_SHARE, counts / counts.max(initial=1), side="right") - 1
    of_width = [lines[:, widths == n].reshape(2, -1).astype(np.float32) for n in range(len(WIDTHS_PX))]
    return {
        "xs": [line[0] if line.size else empty for line in of_width],
        "ys": [line[1] if line.size else empty for line in of_width],
        "width": list(WIDTHS_PX),
    }


def _begins(places: PlaceRows) -> tuple[Numbers, Numbers]:
    """Return where each country's busiest place is (easting and northing, one row each), and its open sessions."""
    open_sessions, countries = places.summed[0], places.countries
    there = np.flatnonzero((open_sessions > 0) & (countries >= 0))
    order = there[np.argsort(open_sessions[there], kind="stable")]
    busiest: NDArray[np.int64] = np.full(countries.max(initial=-1) + 1, -1)
    busiest[countries[order]] = order  # the last one stays, which has most
    totals = np.bincount(countries[there], weights=open_sessions[there], minlength=len(busiest))
    kept = busiest >= 0
    return places.metres[:, busiest[kept]], totals[kept].astype(np.float64)


def _curves(begin: Numbers, end: Numbers) -> Numbers:
    """Return quadratic curves of shape (2, arcs, points + 1); the last point of each is a gap."""
    across = end[:, None] - begin
    length = np.hypot(*across)
    top = begin + across / 2
    top[1] += _LIFT * length  # they rise to the north, as great circles do where most of the land is
    t = np.linspace(0, 1, POINTS)
    curve = begin[:, :, None] * (1 - t) ** 2 + top[:, :, None] * 2 * t * (1 - t) + end[:, None, None] * t**2
    return np.concatenate([curve, np.full((*begin.shape, 1), np.nan)], axis=2)
