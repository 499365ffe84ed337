"""Where simulated visitors come from: the page that led them to the shop, and the campaign that paid for it."""

from __future__ import annotations

import random
from typing import Final, NamedTuple
from urllib.parse import urlencode


class Arrival(NamedTuple):
    """A way into the shop. No referrer and no campaign is a direct visit."""

    referrer: str = ""
    utm: tuple[tuple[str, str], ...] = ()

    @property
    def query(self) -> str:
        """The landing address's query, with its question mark, or nothing."""
        return "?" + urlencode({f"utm_{key}": value for key, value in self.utm}) if self.utm else ""


def _campaign(source: str, medium: str, campaign: str, **more: str) -> tuple[tuple[str, str], ...]:
    return (("source", source), ("medium", medium), ("campaign", campaign), *more.items())


_LETTER = _campaign("newsletter", "email", "first-sunday")
_AUTUMN = _campaign("google", "cpc", "autumn-unhurried", term="slow kettle")
_REELS = _campaign("instagram", "paid_social", "morning-set", content="reel-2")

# Per cent of visits.
_SHARES: Final[dict[Arrival, float]] = {
    Arrival(): 31,
    Arrival("https://www.google.com/"): 24,
    Arrival("https://www.bing.com/"): 3,
    Arrival("https://duckduckgo.com/"): 2.5,
    Arrival("https://search.brave.com/"): 0.7,
    Arrival("https://www.ecosia.org/"): 0.8,
    Arrival("https://www.instagram.com/"): 4,
    Arrival("https://l.facebook.com/"): 3,
    Arrival("https://www.reddit.com/"): 3.5,
    Arrival("https://t.co/"): 1.5,
    Arrival("https://www.pinterest.com/"): 2.5,
    Arrival("https://www.youtube.com/"): 2,
    Arrival("https://www.linkedin.com/"): 0.8,
    Arrival("https://news.ycombinator.com/"): 1.5,
    Arrival("https://chatgpt.com/"): 2.2,
    Arrival("https://www.perplexity.ai/"): 0.8,
    Arrival("https://slow-living.example/kettles-compared"): 2,
    Arrival("https://morning-people.example/"): 1.2,
    Arrival("", _LETTER): 5,
    Arrival("https://www.google.com/", _AUTUMN): 4,
    Arrival("https://www.instagram.com/", _REELS): 2.5,
}
# Where another search engine leads; half of what comes from Google elsewhere comes from it there.
_LOCAL_SEARCH: Final = {
    "CN": "https://www.baidu.com/",
    "RU": "https://yandex.ru/",
    "KR": "https://search.naver.com/",
    "JP": "https://search.yahoo.co.jp/",
}


def pick_arrival(chance: random.Random, country: str | None) -> Arrival:
    """Draw how a visitor from a country finds the shop."""
    (arrival,) = chance.choices(list(_SHARES), list(_SHARES.values()))
    local = _LOCAL_SEARCH.get(country or "")
    if local and arrival == Arrival("https://www.google.com/") and chance.random() < 0.5:
        return Arrival(local)
    return arrival
