"""Who visits: from where by how many live there and are awake, with which browser, and led by what."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
import numpy as np

from glimpse.geo import population
from glimpse.geo.places import Place
from glimpse.traffic.arrivals import Arrival, pick_arrival
from glimpse.traffic.browsers import Browser, pick_browser, pick_crawler

CRAWLER_SHARE: Final = 0.03
_DRAWN_AT_ONCE: Final = 256
_MS_PER_HOUR: Final = 3_600_000
_DEGREES_PER_HOUR: Final = 15
# Languages other than English, and the countries most of whose people read them.
_COUNTRIES: Final = {
    "ar": "DZ EG IQ JO MA SA SD SY TN YE",
    "bn": "BD",
    "cs": "CZ",
    "da": "DK",
    "de": "AT CH DE",
    "el": "GR",
    "es": "AR BO CL CO CU DO EC ES GT MX PE VE",
    "fa": "AF IR",
    "fi": "FI",
    "fr": "BE CD CI CM FR ML SN",
    "he": "IL",
    "hu": "HU",
    "id": "ID",
    "it": "IT",
    "ja": "JP",
    "ko": "KR",
    "nb": "NO",
    "nl": "NL",
    "pl": "PL",
    "pt": "AO BR MZ PT",
    "ro": "RO",
    "ru": "BY KZ RU",
    "sv": "SE",
    "th": "TH",
    "tr": "TR",
    "uk": "UA",
    "vi": "VN",
    "zh": "CN HK TW",
}
_LANGUAGES: Final = {country: language for language, known in _COUNTRIES.items() for country in known.split()}


class Visitor(msgspec.Struct, frozen=True):
    """One who comes to the shop for one session."""

    address: str
    place: Place
    browser: Browser
    language: str
    arrival: Arrival
    is_crawler: bool


class Crowd:
    """Draws visitors without end; the same seed and times give the same ones.

    Parameters
    ----------
    seed
        Of all that is left to chance.
    now_ms
        Epoch milliseconds: decides who is awake.
    """

    def __init__(self, seed: int, now_ms: Callable[[], int]) -> None:
        self._chance = random.Random(seed)
        self._sample = np.random.default_rng(seed)
        self._now_ms = now_ms
        self._candidates = self._draw()

    def next(self) -> Visitor:
        """Return the next one who is awake."""
        chance = self._chance
        for candidate in self._candidates:
            if chance.random() < awake_share(self._now_ms(), candidate.city.lon or 0):
                return self._equip(candidate)
        raise AssertionError("the candidates never end")

    def _draw(self) -> Iterator[population.Visitor]:
        while True:
            yield from population.sample_visitors(self._sample, _DRAWN_AT_ONCE)

    def _equip(self, candidate: population.Visitor) -> Visitor:
        chance, place = self._chance, candidate.city
        is_crawler = chance.random() < CRAWLER_SHARE
        return Visitor(
            address=candidate.address,
            place=place,
            browser=pick_crawler(chance) if is_crawler else pick_browser(chance),
            language=_language_of(place.country),
            arrival=Arrival() if is_crawler else pick_arrival(chance, place.country),
            is_crawler=is_crawler,
        )


def _language_of(country: str | None) -> str:
    return f"{_LANGUAGES.get(country, 'en')}-{country}" if country else "en-US"


def awake_share(now_ms: int, lon_deg: float) -> float:
    """Return how many of the people at a longitude shop at a time, as a share of those at the busiest hour.

    Quietest before dawn, with a rise to noon and the peak in the evening. The sun's time stands in for the clock's,
    from which it differs by an hour or two: a wave doesn't notice.
    """
    hour = (now_ms / _MS_PER_HOUR + lon_deg / _DEGREES_PER_HOUR) % 24
    noon = math.exp(-(((hour - 12.5) / 3.5) ** 2))
    evening = math.exp(-(((hour - 20.5) / 2.5) ** 2))
    late = math.exp(-(((hour + 3.5) / 2.5) ** 2))  # the evening before, past midnight
    return 0.08 + 0.92 * min(1.0, 0.75 * noon + evening + late)
