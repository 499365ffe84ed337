"""Web Mercator (EPSG:3857), as map tiles use it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M: Final = 6_378_137.0
MAX_LAT_DEG: Final = 85.051128779806589
"""Where the map is a square."""


def to_mercator(lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return easting and northing in metres; latitudes beyond the map's edge are put on it."""
    lat = np.radians(np.clip(np.asarray(lat_deg, float), -MAX_LAT_DEG, MAX_LAT_DEG))
    x = EARTH_RADIUS_M * np.radians(np.asarray(lon_deg, float))
    return x, EARTH_RADIUS_M * np.log(np.tan(np.pi / 4 + lat / 2))
