"""Make the small tables beside the compact database: main cities of time zones, and populous cities with networks."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib import resources as package_resources
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from glimpse.geo.gazetteer import City, Gazetteer, load_geonames
from glimpse.geo.networks import LOOKED_UP_PREFIX
from glimpse.geo.places import Place
from glimpse.geo.search_tree import Networks, SearchTree

POPULOUS: Final = 5_000
_NETWORKS_PER_CITY = {4: 6, 6: 2}
_COLUMNS = ("name", "region", "country", "lat", "lon", "population", "time_zone", "networks")


def build_tables(compact: Path, out: Path, *, gazetteer: Gazetteer | None = None) -> None:
    """Write ``time_zones.json`` and ``cities.tsv``.

    Parameters
    ----------
    compact
        The compact database, which knows regions and networks.
    out
        The folder to write to.
    """
    gazetteer = gazetteer or load_geonames()
    known = _KnownCities(SearchTree(compact))
    by_population = sorted(gazetteer.cities, key=lambda city: -city.population)
    _write_time_zones(out / "time_zones.json", by_population, known)
    _write_cities(out / "cities.tsv", by_population[:POPULOUS], known)


class _KnownCities:
    """What the compact database says of cities, by their GeoNames id."""

    def __init__(self, tree: SearchTree) -> None:
        self.regions: dict[int, str] = {}
        self.networks: dict[int, list[str]] = defaultdict(list)
        for version in (4, 6):
            self._read(tree, tree.networks(version))

    def _read(self, tree: SearchTree, networks: Networks) -> None:
        rng = np.random.default_rng(0)
        order = rng.permutation(len(networks))
        _, groups = np.unique(networks.records[order], return_inverse=True)
        by_record = np.split(order[np.argsort(groups, kind="stable")], np.cumsum(np.bincount(groups))[:-1])
        for members in by_record:
            record: dict[str, Any] = tree.record(networks, int(members[0]))
            geoname_id = record.get("city", {}).get("geoname_id")
            if geoname_id is None:
                continue
            for subdivision in record.get("subdivisions", [])[:1]:
                self.regions[geoname_id] = subdivision["names"]["en"]
            some = members[: _NETWORKS_PER_CITY[networks.version]]
            self.networks[geoname_id] += [_looked_up(networks, int(index)) for index in some]

    def place(self, city: City) -> Place:
        region = self.regions.get(city.geoname_id or 0)
        return Place(city.country, region, city.name, city.time_zone, city.lat, city.lon)


def _looked_up(networks: Networks, index: int) -> str:
    """Return the first /24 or /48 of a network."""
    return f"{networks.address(index)}/{LOOKED_UP_PREFIX[networks.version]}"


def _write_cities(path: Path, cities: Iterable[City], known: _KnownCities) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE)
        table.writerow(_COLUMNS)
        for city in cities:
            place = known.place(city)
            networks = " ".join(known.networks.get(city.geoname_id or 0, ()))
            known_of_it = (place.city, place.region or "", place.country, place.lat, place.lon)
            table.writerow((*known_of_it, city.population, place.time_zone, networks))


def _write_time_zones(path: Path, by_population: Iterable[City], known: _KnownCities) -> None:
    zones: dict[str, Place] = {}
    for city in by_population:
        if city.time_zone and city.time_zone not in zones:
            zones[city.time_zone] = known.place(city)
    zones = dict(_zone_tab_places()) | zones
    aliases = {alias: zone for alias, zone in _links() if alias not in zones and zone in zones}
    table = {"zones": dict(sorted(zones.items())), "aliases": dict(sorted(aliases.items()))}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n")


def _tzdata(name: str) -> list[str]:
    """Return the lines of a table of the time zone database, from the package ``tzdata``."""
    text = (package_resources.files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def _zone_tab_places() -> Iterator[tuple[str, Place]]:
    """Yield the places ``zone.tab`` has for zones, also for those where hardly anybody lives."""
    for line in _tzdata("zone.tab"):
        country, coordinates, zone, *_ = line.split("\t")
        lat, lon = _iso6709(coordinates)
        name = zone.rpartition("/")[2].replace("_", " ")
        yield zone, Place(country, None, name, zone, lat, lon)


def _links() -> Iterator[tuple[str, str]]:
    """Yield old names of zones, and what they stand for."""
    for line in _tzdata("tzdata.zi"):
        if line.startswith("L "):
            _, zone, alias = line.split()
            yield alias, zone


def _iso6709(text: str) -> tuple[float, float]:
    """Read ``+DDMM-DDDMM`` or ``+DDMMSS-DDDMMSS``.

    >>> _iso6709("-1247+04514")
    (-12.7833, 45.2333)
    """
    split = max(text.rfind("+"), text.rfind("-"))
    return _degrees(text[:split], 2), _degrees(text[split:], 3)


def _degrees(text: str, degree_digits: int) -> float:
    sign, digits = (-1 if text[0] == "-" else 1), text[1:]
    degrees, minutes, seconds = digits[:degree_digits], digits[degree_digits:][:2], digits[degree_digits + 2 :]
    return sign * round(int(degrees) + int(minutes) / 60 + int(seconds or 0) / 3600, 4)
