"""The main city of a time zone: a place for peers whose address says nothing, such as one's own on loopback."""

from __future__ import annotations

from functools import cache

import msgspec

from glimpse import resources
from glimpse.geo.places import Place


def main_city_of(time_zone: str | None) -> Place | None:
    """Return the most populous city of an IANA time zone.

    Parameters
    ----------
    time_zone
        A zone or an old name of one, as browsers report them: ``Asia/Calcutta``, ``Europe/Kiev``.

    Returns
    -------
    None for what is no zone, or is nowhere, as ``UTC``.
    """
    return None if time_zone is None else _main_cities().get(time_zone)


@cache
def _main_cities() -> dict[str, Place]:
    """Load ``time_zones.json``: places by zone, and the zone that another name stands for."""
    table = msgspec.json.decode(resources.path("geo/time_zones.json").read_bytes(), type=_Table)
    return table.zones | {alias: table.zones[zone] for alias, zone in table.aliases.items()}


class _Table(msgspec.Struct):
    zones: dict[str, Place]
    aliases: dict[str, str]
