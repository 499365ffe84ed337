"""What of the map an address says to look at: the middle, and how closely, as maps on the web have it."""

from __future__ import annotations

import re
from typing import NamedTuple

from glimpse.views.address import Choices

_NUMBER = r"(-?[0-9]{1,3}(?:\.[0-9]{1,8})?)"
_SPOT = re.compile(f"{_NUMBER},{_NUMBER},{_NUMBER}")
_MOST_LAT, _MOST_LON, _MOST_ZOOM = 85.0, 180.0, 15.0


class Spot(NamedTuple):
    """A place, and the zoom at which it is looked at: at 0 the world is 256 pixels wide, at each more twice that."""

    lat_deg: float
    lon_deg: float
    zoom: float


def read_spot(said: str) -> Spot | None:
    """Return what `latitude,longitude,zoom` means; None if that can't be."""
    given = _SPOT.fullmatch(said)
    if given is None:
        return None
    spot = Spot(*map(float, given.groups()))
    is_there = abs(spot.lat_deg) <= _MOST_LAT and abs(spot.lon_deg) <= _MOST_LON and 0 <= spot.zoom <= _MOST_ZOOM
    return spot if is_there else None


def heard_spot(said: Choices) -> str:
    """Return the spot that an address says, as it says it; empty where it says none that can be."""
    text = said.get("map", ("",))[0]
    return text if read_spot(text) else ""
