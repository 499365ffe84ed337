"""Read a full city database: MMDB (nested as MaxMind writes it, or flat), DB-IP's CSV, MaxMind's CSV."""

from __future__ import annotations

import csv
import gzip
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from glimpse.errors import GeoDataError
from glimpse.geo.gazetteer import SourcePlace
from glimpse.geo.networks import KEY_BITS
from glimpse.geo.search_tree import Networks, SearchTree

SPECIAL_PURPOSE: Final = {
    4: (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        "224.0.0.0/3",
    ),
    6: ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
}
"""Networks that are nowhere, whatever a source says (IANA special-purpose registries; within 2000::/3 for IPv6)."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Source:
    """Networks of one IP version with the places they are at; ``networks.records`` counts into ``places``."""

    networks: Networks
    places: list[SourcePlace]


def read_source(path: Path) -> Iterator[Source]:
    """Read what a file says, one IP version after the other.

    Parameters
    ----------
    path
        ``*.mmdb``; DB-IP's ``*.csv`` or ``*.csv.gz``; or a folder with MaxMind's ``*-City-Blocks-IPv4.csv``,
        ``*-City-Blocks-IPv6.csv`` and ``*-City-Locations-en.csv``.

    Raises
    ------
    GeoDataError
        The file is none of these.
    """
    if path.is_dir():
        sources = _read_rows(_maxmind_rows(path))
    elif path.suffix == ".mmdb":
        sources = _read_mmdb(path)
    elif path.name.endswith((".csv", ".csv.gz")):
        sources = _read_rows(_dbip_rows(path))
    else:
        raise GeoDataError(f"{path} is no .mmdb, .csv, .csv.gz, and no folder of MaxMind's CSV files")
    for source in sources:
        yield Source(_without_special_purpose(source.networks), source.places)


def _read_mmdb(path: Path) -> Iterator[Source]:
    tree = SearchTree(path)
    for version in (4, 6):
        networks = tree.networks(version)
        _, first, inverse = np.unique(networks.records, return_index=True, return_inverse=True)
        places = [place_of_record(tree.record(networks, int(index))) for index in first]
        if places:
            yield _placed(version, networks.keys, networks.depths, inverse.ravel(), places)


def _placed(
    version: int,
    keys: NDArray[np.uint64],
    depths: NDArray[np.uint8],
    which: NDArray[np.int64],
    places: list[SourcePlace | None],
) -> Source:
    """Leave out networks without a place; number the places that differ."""
    occurring = (places[index] for index in np.unique(which))
    distinct = {place: number for number, place in enumerate(dict.fromkeys(filter(None, occurring)))}
    numbers = np.array([distinct.get(place, -1) if place else -1 for place in places], np.int64)[which]
    known = numbers >= 0
    return Source(Networks(version, keys[known], depths[known], numbers[known]), list(distinct))


def place_of_record(record: Mapping[str, Any] | None) -> SourcePlace | None:
    """Read a place from a flat or nested record; None if it has no country or no coordinates."""
    if not record:
        return None
    if "country_code" in record:
        fields = [record.get(name) for name in ("country_code", "state1", "city", "latitude", "longitude")]
    else:
        location = record.get("location", {})
        country = record.get("country", record.get("registered_country", {}))
        region = (record.get("subdivisions") or [{}])[0]
        city = record.get("city", {})
        fields = [country.get("iso_code"), _english(region), _english(city)]
        fields += [location.get("latitude"), location.get("longitude")]
    return _place(*fields)


def _english(named: Mapping[str, Any]) -> str | None:
    name: str | None = named.get("names", {}).get("en")
    return name


def _place(country: Any, region: Any, city: Any, lat: Any, lon: Any) -> SourcePlace | None:
    if not country or lat in (None, "") or lon in (None, ""):
        return None
    return SourcePlace(country, region or None, city or None, round(float(lat), 4), round(float(lon), 4))


def _read_rows(rows: Iterable[tuple[Network, SourcePlace | None]]) -> Iterator[Source]:
    """Collect networks into arrays."""
    columns: dict[int, tuple[list[int], list[int], list[int]]] = {4: ([], [], []), 6: ([], [], [])}
    numbers: dict[SourcePlace | None, int] = {}
    for network, place in rows:
        if isinstance(network, IPv6Network) and not network.subnet_of(_GLOBAL_UNICAST):
            continue
        depth = min(network.prefixlen, KEY_BITS[network.version])
        keys, depths, which = columns[network.version]
        keys.append(int(network.network_address) >> (network.max_prefixlen - depth))
        depths.append(depth)
        which.append(numbers.setdefault(place, len(numbers)))
    for version, (keys, depths, which) in columns.items():
        if keys:
            yield _placed(
                version, np.array(keys, np.uint64), np.array(depths, np.uint8), np.array(which, np.int64), list(numbers)
            )


_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")


def _dbip_rows(path: Path) -> Iterator[tuple[Network, SourcePlace | None]]:
    """Read ``first, last, continent, country, region, city, latitude, longitude``."""
    with _open_text(path) as file:
        for first, last, _, country, region, city, lat, lon, *_ in csv.reader(file):
            place = _place(None if country == "ZZ" else country, region, city, lat, lon)
            between: Any = ipaddress.ip_address(first), ipaddress.ip_address(last)
            for network in ipaddress.summarize_address_range(*between):
                yield network, place


def _maxmind_rows(folder: Path) -> Iterator[tuple[Network, SourcePlace | None]]:
    with _open_text(_only(folder, "*City-Locations-en.csv")) as file:
        locations = {row["geoname_id"]: row for row in csv.DictReader(file)}
    for version in (4, 6):
        with _open_text(_only(folder, f"*City-Blocks-IPv{version}.csv")) as file:
            for row in csv.DictReader(file):
                found = locations.get(row["geoname_id"] or row["registered_country_geoname_id"], {})
                country, region, city = map(found.get, ("country_iso_code", "subdivision_1_name", "city_name"))
                place = _place(country, region, city, row["latitude"], row["longitude"])
                yield ipaddress.ip_network(row["network"]), place


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise GeoDataError(f"{folder} has {len(found)} files {pattern}; one is needed")
    return found[0]


def _open_text(path: Path) -> IO[str]:
    return (
        gzip.open(path, "rt", encoding="utf-8", newline="")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8", newline="")
    )


def _without_special_purpose(networks: Networks) -> Networks:
    for text in SPECIAL_PURPOSE[networks.version]:
        special = ipaddress.ip_network(text)
        key = int(special.network_address) >> (special.max_prefixlen - special.prefixlen)
        networks = _without(networks, key, special.prefixlen)
    return networks


def _without(networks: Networks, key: int, depth: int) -> Networks:
    """Cut one prefix out of all networks: those within it go, one that contains it is split around it."""
    depths = networks.depths.astype(np.int64)
    common = np.minimum(depths, depth).astype(np.uint64)
    ours = np.uint64(key) >> (np.uint64(depth) - common)
    overlaps = networks.keys >> (networks.depths.astype(np.uint64) - common) == ours
    kept = [(networks.keys[~overlaps], networks.depths[~overlaps], networks.records[~overlaps])]
    for index in np.flatnonzero(overlaps & (depths < depth)):
        around = range(int(depths[index]) + 1, depth + 1)
        siblings = np.array([key >> (depth - level) ^ 1 for level in around], np.uint64)
        record = np.full(len(siblings), networks.records[index])
        kept.append((siblings, np.array(around, np.uint8), record))
    return Networks(networks.version, *(np.concatenate(column) for column in zip(*kept, strict=True)))
