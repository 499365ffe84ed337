"""Distances on the sphere, for arrays of places."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM: Final = 6371.0088


def unit_vectors(lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float32]:
    """Return points on the unit sphere, shape (n, 3)."""
    lat, lon = np.radians(np.asarray(lat_deg, float)), np.radians(np.asarray(lon_deg, float))
    points = np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))
    return points.astype(np.float32)


def distance_km(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return great-circle distances between unit vectors along the last axis.

    By the chord, as the dot product loses short distances to rounding.
    """
    chord = np.sqrt(((a - b) ** 2).sum(axis=-1))
    km: NDArray[np.float32] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))
    return km


def nearest(points: NDArray[np.float32], candidates: NDArray[np.float32], at_once: int = 2_000) -> NDArray[np.intp]:
    """Return the index of the nearest candidate to each point."""
    parts = [
        (points[start : start + at_once] @ candidates.T).argmax(axis=1) for start in range(0, len(points), at_once)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.intp)
