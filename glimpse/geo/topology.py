"""Read TopoJSON: arcs that countries share, so that a border is one line however many use it.

Source: The TopoJSON Format Specification 1.0 (quantized topologies).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Ring = list[int]
"""Arcs end to end; ``~i`` is arc ``i`` backwards."""
Points = NDArray[np.float64]
"""Shape (n, 2): longitude and latitude in degrees."""


class Transform(msgspec.Struct):
    """How quantized positions become degrees."""

    scale: tuple[float, float]
    translate: tuple[float, float]


class Geometry(msgspec.Struct, omit_defaults=True):
    """A country: a polygon is a list of rings, the outer one first."""

    type: str
    arcs: list[Any] = []
    id: str | None = None
    properties: dict[str, str | None] = {}

    def polygons(self) -> list[list[Ring]]:
        """Return the polygons of a Polygon or a MultiPolygon."""
        return [self.arcs] if self.type == "Polygon" else self.arcs


class Collection(msgspec.Struct):
    """Geometries of one kind."""

    type: str
    geometries: list[Geometry]


class Topology(msgspec.Struct):
    """A whole file."""

    type: str
    transform: Transform
    arcs: list[list[tuple[int, int]]]
    objects: dict[str, Collection]

    def positions(self) -> list[Points]:
        """Return the points of each arc, in degrees."""
        steps = np.array([step for arc in self.arcs for step in arc], np.int64)
        starts = np.cumsum([0, *map(len, self.arcs)])
        # All arcs at once: a running sum over the whole, less what it was where each arc begins.
        before = np.concatenate((np.zeros((1, 2), np.int64), np.cumsum(steps, axis=0)))
        grid = before[1:] - np.repeat(before[starts[:-1]], np.diff(starts), axis=0)
        degrees = grid.astype(float) * np.array(self.transform.scale) + np.array(self.transform.translate)
        return [degrees[start:end] for start, end in pairwise(starts)]


def ring_points(ring: Ring, arcs: Sequence[Points]) -> Points:
    """Join a ring's arcs; the last point of one is the first of the next."""
    parts = [arcs[index] if index >= 0 else arcs[~index][::-1] for index in ring]
    return parts[0] if len(parts) == 1 else np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
