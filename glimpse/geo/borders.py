"""Countries and their borders in Web Mercator, to draw a map without fetching tiles. From Natural Earth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from glimpse import resources
from glimpse.geo.antimeridian import cut_line, cut_ring
from glimpse.geo.mercator import to_mercator
from glimpse.geo.topology import Geometry, Points, Topology, ring_points

Line = NDArray[np.float64]
"""Shape (n, 2): easting and northing in metres, EPSG:3857."""

_EDGE_LON_DEG = 179.99


@dataclass(frozen=True)
class Country:
    """One country.

    Attributes
    ----------
    code
        ISO 3166-1 alpha-2; None for land that has none.
    polygons
        Each a tuple of closed rings: the outer one, then holes.
    """

    code: str | None
    name: str
    polygons: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Borders:
    """All countries without Antarctica, from 60 degrees south to 84 north.

    Attributes
    ----------
    lines
        Coasts and borders, each once, none along the edge of the map.
    """

    countries: tuple[Country, ...]
    lines: tuple[Line, ...]

    @cached_property
    def names(self) -> dict[str, str]:
        """Country names by code."""
        return {country.code: country.name for country in self.countries if country.code}

    def multi_polygons(self) -> tuple[list[list[list[Line]]], list[list[list[Line]]]]:
        """Return xs and ys as Bokeh's ``multi_polygons`` takes them: by country, polygon, ring."""
        xs, ys = (
            [[[ring[:, axis] for ring in rings] for rings in country.polygons] for country in self.countries]
            for axis in (0, 1)
        )
        return xs, ys

    def path(self) -> tuple[Line, Line]:
        """Return x and y of all lines as one path, with NaN between them."""
        gap = np.full((1, 2), np.nan)
        joined = np.concatenate([part for line in self.lines for part in (line, gap)])
        return joined[:, 0], joined[:, 1]


@cache
def load_borders() -> Borders:
    """Load ``borders.json``; once in a process."""
    topology = msgspec.json.decode(resources.path("geo/borders.json").read_bytes(), type=Topology)
    arcs = topology.positions()
    shapes = topology.objects["countries"].geometries
    polygons = [(number, rings) for number, shape in enumerate(shapes) for rings in _polygons(shape, arcs)]
    lines = [part for arc in arcs for whole in cut_line(arc) for part in _off_the_edge(whole)]
    projected = iter(_projected([*(ring for _, rings in polygons for ring in rings), *lines]))
    by_country: list[list[tuple[Line, ...]]] = [[] for _ in shapes]
    for number, rings in polygons:
        by_country[number].append(tuple(islice(projected, len(rings))))
    countries = (
        Country(shape.id, shape.properties["name"] or "", tuple(drawn))
        for shape, drawn in zip(shapes, by_country, strict=True)
    )
    return Borders(tuple(countries), tuple(projected))


def _polygons(shape: Geometry, arcs: list[Points]) -> Iterator[list[Points]]:
    """Yield polygons in degrees, cut at the antimeridian; no country that is cut has a hole."""
    for rings in shape.polygons():
        outer, *holes = (ring_points(ring, arcs) for ring in rings)
        parts = cut_ring(outer)
        yield from [[outer, *holes]] if len(parts) == 1 else ([part] for part in parts)


def _projected(parts: Sequence[Points]) -> list[Line]:
    """Project many lines at once, which is ten times as fast as one by one."""
    together = np.concatenate(parts)
    metres = np.column_stack(to_mercator(together[:, 1], together[:, 0]))
    ends = list(accumulate(map(len, parts)))
    return [metres[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _off_the_edge(line: Points) -> list[Points]:
    """Cut a line where it runs along the antimeridian: there the map ends, but no country does."""
    on_edge = np.abs(line[:, 0]) >= _EDGE_LON_DEG
    if not on_edge.any():
        return [line]
    cut = np.flatnonzero(on_edge[1:] & on_edge[:-1]) + 1
    return [part for part in np.split(line, cut) if len(part) > 1]
