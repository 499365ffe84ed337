"""Cut lines and rings where they cross the antimeridian, so that none runs back across the whole map."""

from __future__ import annotations

import numpy as np

from glimpse.geo.topology import Points

_WORLDS = (-360.0, 0.0, 360.0)


def cut_line(line: Points) -> list[Points]:
    """Return the parts of a line, each within -180 to 180 degrees of longitude."""
    if not _crosses(line):
        return [line]
    unrolled = _unrolled(line)
    world = np.floor((unrolled[:, 0] + 180) / 360)
    parts: list[Points] = []
    start, first = 0, np.empty((0, 2))
    for after in np.flatnonzero(np.diff(world)) + 1:
        edge = 360 * max(world[after - 1], world[after]) - 180
        crossing = _at_longitude(unrolled[after - 1], unrolled[after], edge)
        parts.append(_shifted(np.vstack((first, unrolled[start:after], crossing)), world[after - 1]))
        start, first = after, crossing
    parts.append(_shifted(np.vstack((first, unrolled[start:])), world[-1]))
    return parts


def cut_ring(ring: Points) -> list[Points]:
    """Return the parts of a closed ring as closed rings, each within -180 to 180 degrees of longitude."""
    if not _crosses(ring):
        return [ring]
    unrolled = _unrolled(ring)
    clipped = (_clipped(_clipped(unrolled, shift - 180, 1), shift + 180, -1) - [shift, 0] for shift in _WORLDS)
    return [part for part in clipped if len(part) > 3]


def _crosses(points: Points) -> bool:
    lon = points[:, 0]
    # Most are small: look closer only at what spans half the world.
    return bool(lon.max() - lon.min() > 180 and (np.abs(np.diff(lon)) > 180).any())


def _unrolled(points: Points) -> Points:
    """Let longitudes run on past 180 degrees instead of jumping."""
    return np.column_stack((np.unwrap(points[:, 0], period=360), points[:, 1]))


def _shifted(points: Points, worlds: float) -> Points:
    return points - [360 * worlds, 0]


def _at_longitude(a: Points, b: Points, lon: float) -> Points:
    share = (lon - a[0]) / (b[0] - a[0])
    return np.array([[lon, a[1] + share * (b[1] - a[1])]])


def _clipped(ring: Points, lon: float, side: int) -> Points:
    """Keep what is east (side 1) or west (side -1) of a meridian (Sutherland and Hodgman 1974)."""
    if not len(ring):
        return ring
    inside = (ring[:, 0] - lon) * side >= 0
    kept: list[Points] = []
    for here in range(len(ring) - 1):
        if inside[here]:
            kept.append(ring[here : here + 1])
        if inside[here] != inside[here + 1]:
            kept.append(_at_longitude(ring[here], ring[here + 1], lon))
    return np.concatenate([*kept, kept[0]]) if kept else np.empty((0, 2))
