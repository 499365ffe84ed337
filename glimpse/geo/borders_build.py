"""Make ``borders.json`` of npm's `world-atlas`: without Antarctica, with ISO codes, with fewer points."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from glimpse.geo.gazetteer import Country, Gazetteer, load_geonames
from glimpse.geo.topology import Collection, Geometry, Points, Ring, Topology, Transform

ANTARCTICA: Final = "010"
TOLERANCE_DEG: Final = 0.02
"""How far a line may move; a pixel of a map 18,000 pixels wide."""
_GRID_DEG: Final = 0.01
_RING_POINTS: Final = 5
_NO_NUMBER = {"Kosovo": "XK"}


def build_borders(world_atlas: Path, out: Path, *, gazetteer: Gazetteer | None = None) -> None:
    """Write ``borders.json``.

    Parameters
    ----------
    world_atlas
        ``countries-50m.json`` of the npm package.
    out
        The folder to write to.
    """
    topology = msgspec.json.decode(world_atlas.read_bytes(), type=Topology)
    countries = {country.numeric: country for country in (gazetteer or load_geonames()).countries.values()}
    kept = [shape for shape in topology.objects["countries"].geometries if shape.id != ANTARCTICA]
    arcs = topology.positions()
    used = sorted({index if index >= 0 else ~index for shape in kept for index in _arc_indices(shape)})
    number = {old: new for new, old in enumerate(used)}
    slim = Topology(
        type="Topology",
        transform=Transform((_GRID_DEG, _GRID_DEG), (0.0, 0.0)),
        arcs=[_quantized(arcs[index]) for index in used],
        objects={
            "countries": Collection(
                "GeometryCollection", _one_each([_slim(shape, number, countries) for shape in kept])
            )
        },
    )
    (out / "borders.json").write_bytes(msgspec.json.encode(slim) + b"\n")


def _arc_indices(shape: Geometry) -> Iterable[int]:
    return (index for rings in shape.polygons() for ring in rings for index in ring)


def _slim(shape: Geometry, number: dict[int, int], countries: dict[int, Country]) -> Geometry:
    name = shape.properties.get("name") or ""
    country = countries.get(int(shape.id)) if shape.id else None
    arcs: Any = [[_renumbered(ring, number) for ring in rings] for rings in shape.polygons()]
    code = country.alpha2 if country else _NO_NUMBER.get(name)
    return Geometry("MultiPolygon", arcs, code, {"name": country.name if country else name})


def _one_each(shapes: Iterable[Geometry]) -> list[Geometry]:
    """Join what has one code: reefs of Australia are apart in Natural Earth."""
    by_code: dict[str, Geometry] = {}
    for shape in shapes:
        known = by_code.setdefault(shape.id or shape.properties["name"] or "", shape)
        if known is not shape:
            known.arcs.extend(shape.arcs)
    return list(by_code.values())


def _renumbered(ring: Ring, number: dict[int, int]) -> Ring:
    return [number[index] if index >= 0 else ~number[~index] for index in ring]


def _quantized(arc: Points) -> list[tuple[int, int]]:
    grid = np.rint(arc[_kept_points(arc)] / _GRID_DEG).astype(int)
    steps = np.diff(grid, axis=0, prepend=np.zeros((1, 2), int))
    return [(int(x), int(y)) for index, (x, y) in enumerate(steps) if index == 0 or x or y]


def _kept_points(arc: Points) -> NDArray[np.bool_]:
    """Choose points by the method of Douglas and Peucker; a closed arc keeps a point opposite to its start."""
    keep = np.zeros(len(arc), bool)
    keep[[0, -1]] = True
    if np.array_equal(arc[0], arc[-1]):
        keep[_farthest(arc, arc[0])] = True
    bounds = np.flatnonzero(keep)
    spans = list(pairwise(bounds))
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        away = _distance_to_chord(arc[first : last + 1])
        middle = int(first + away.argmax())
        if away.max() > TOLERANCE_DEG:
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    if np.array_equal(arc[0], arc[-1]) and keep.sum() < _RING_POINTS:
        keep[:] = True  # an island too small to simplify
    return keep


def _farthest(arc: Points, start: NDArray[np.float64]) -> int:
    return int(((arc - start) ** 2).sum(axis=1).argmax())


def _distance_to_chord(points: Points) -> NDArray[np.float64]:
    chord = points[-1] - points[0]
    offset = points - points[0]
    length = np.hypot(*chord)
    away: NDArray[np.float64] = np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0]) / max(length, 1e-12)
    return away
