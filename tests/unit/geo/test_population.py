from __future__ import annotations

import ipaddress
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from glimpse.geo.places import PlaceLookup, bundled_database
from glimpse.geo.population import cities, networks_of_cities, sample_visitors


@pytest.fixture(scope="module")
def bundled() -> PlaceLookup:
    path = bundled_database()
    assert path is not None
    return PlaceLookup(path)


def test_cities_are_the_worlds_largest_in_order():
    table = cities()
    assert 3_000 <= len(table) <= 6_000
    assert all(a.population >= b.population for a, b in pairwise(table))
    assert {city.place.city for city in table[:40]} >= {"Shanghai", "Tokyo", "Lagos"}
    assert all(city.place.time_zone and city.place.country for city in table)


def test_most_cities_have_networks_and_most_people_live_in_these():
    reachable = networks_of_cities()
    assert len(reachable) > 3_000
    people = sum(city.population for city in cities())
    assert sum(city.population for city in cities() if city.networks) > 0.8 * people


def test_every_network_is_looked_up_to_its_very_city(bundled: PlaceLookup):
    for place, networks in networks_of_cities().items():
        assert bundled.find_many(networks) == [place] * len(networks)


def test_visitors_address_is_in_the_city_it_says(bundled: PlaceLookup):
    for address, city in sample_visitors(np.random.default_rng(3), 500):
        parsed = ipaddress.ip_address(address)
        prefix = ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False)
        assert bundled.find(str(prefix)) == city
        assert parsed not in (prefix[0], prefix[-1])


def test_visitors_come_from_many_places_by_population_and_by_both_ip_versions():
    visitors = sample_visitors(np.random.default_rng(1), 5_000)
    countries = Counter(visitor.city.country for visitor in visitors)
    assert countries.most_common(1)[0][0] == "CN"
    assert len(countries) > 80
    assert {ipaddress.ip_address(visitor.address).version for visitor in visitors} == {4, 6}


def test_same_seed_gives_the_same_visitors():
    first, again, other = (sample_visitors(np.random.default_rng(seed), 20) for seed in (5, 5, 6))
    assert first == again != other
