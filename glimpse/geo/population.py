"""Where people live, and networks that are really there: what simulated traffic is drawn from.

Cities are those of GeoNames with most inhabitants; each has networks that the bundled database places in it.
"""

from __future__ import annotations

import csv
import ipaddress
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glimpse import resources
from glimpse.geo.places import Place

_HOST_BITS: Final = {4: 8, 6: 80}


class PopulousCity(NamedTuple):
    """A city, how many live there, and networks (/24, /48) that are looked up to it."""

    place: Place
    population: int
    networks: tuple[str, ...]


class Visitor(NamedTuple):
    """An address, and the city that looking it up in the bundled database gives."""

    address: str
    city: Place


@cache
def cities() -> tuple[PopulousCity, ...]:
    """Return the most populous cities, largest first. Some have no network."""
    with resources.path("geo/cities.tsv").open(encoding="utf-8", newline="") as file:
        return tuple(_city(row) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def networks_of_cities() -> dict[Place, tuple[str, ...]]:
    """Return real networks of each city that has any."""
    return {city.place: city.networks for city in cities() if city.networks}


def sample_visitors(rng: np.random.Generator, count: int) -> list[Visitor]:
    """Draw visitors: cities in proportion to their inhabitants, addresses from the cities' real networks.

    The same generator state gives the same visitors.
    """
    reachable, odds = _reachable()
    return [_visitor(rng, reachable[index]) for index in rng.choice(len(reachable), count, p=odds)]


@cache
def _reachable() -> tuple[list[PopulousCity], NDArray[np.float64]]:
    reachable = [city for city in cities() if city.networks]
    inhabitants = np.array([city.population for city in reachable], float)
    return reachable, inhabitants / inhabitants.sum()


def _visitor(rng: np.random.Generator, city: PopulousCity) -> Visitor:
    network = ipaddress.ip_network(city.networks[rng.integers(len(city.networks))])
    # Neither the network's own address nor its broadcast.
    host = 1 + int(rng.integers((1 << min(_HOST_BITS[network.version], 62)) - 2))
    return Visitor(str(network.network_address + host), city.place)


def _city(row: dict[str, str]) -> PopulousCity:
    place = Place(
        country=row["country"],
        region=row["region"] or None,
        city=row["name"],
        time_zone=row["time_zone"],
        lat=float(row["lat"]),
        lon=float(row["lon"]),
    )
    return PopulousCity(place, int(row["population"]), tuple(row["networks"].split()))
