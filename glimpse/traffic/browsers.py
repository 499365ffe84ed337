"""The browsers that simulated visitors use, with screens that such devices have, and the crawlers among them."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

_CHROMIUM: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0"
_WINDOWS: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_LINUX: Final = "Mozilla/5.0 (X11; Linux x86_64)"
_CHROMEBOOK: Final = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)"
_ANDROID: Final = "Mozilla/5.0 (Linux; Android 10; K)"
_IPHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS {ios} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_IPAD: Final = "Mozilla/5.0 (iPad; CPU OS {ios} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_GECKO: Final = "rv:{firefox}.0) Gecko/20100101 Firefox/{firefox}.0"

_LAPTOPS: Final = ((1366, 768, 1), (1440, 900, 2), (1536, 864, 1.25), (1920, 1080, 1), (2560, 1440, 1))
_MACS: Final = ((1440, 900, 2), (1512, 982, 2), (1728, 1117, 2), (2560, 1440, 2))
_PHONES: Final = ((360, 800, 3), (384, 832, 2.8125), (412, 915, 2.625), (393, 873, 2.75))
_IPHONES: Final = ((375, 812, 3), (390, 844, 3), (393, 852, 3), (430, 932, 3))
_TABLETS: Final = ((800, 1280, 2), (1024, 768, 1.5))
_IPADS: Final = ((820, 1180, 2), (834, 1194, 2), (1024, 1366, 2))
# What of the screen the browser itself takes.
_BARS_PX: Final = {"desktop": 130, "phone": 110, "tablet": 85}


class Browser(NamedTuple):
    """A user agent on a device."""

    user_agent: str
    device: str  # desktop, phone or tablet
    screen: tuple[int, int, float]  # CSS pixels, and device pixels to each

    @property
    def viewport(self) -> str:
        """What the page has of the screen, such as ``1440x770``."""
        width, height, _ = self.screen
        return f"{width}x{height - _BARS_PX[self.device]}"


class _Kind(NamedTuple):
    share: float  # of all visitors, in per cent
    device: str
    screens: tuple[tuple[int, int, float], ...]
    user_agent: str


_KINDS: Final = (
    _Kind(25.0, "desktop", _LAPTOPS, f"{_WINDOWS} {_CHROMIUM} Safari/537.36"),
    _Kind(7.0, "desktop", _LAPTOPS, f"{_WINDOWS} {_CHROMIUM} Safari/537.36 Edg/{{chrome}}.0.0.0"),
    _Kind(3.5, "desktop", _LAPTOPS, f"{_WINDOWS[:-1]}; {_GECKO}"),
    _Kind(1.2, "desktop", _LAPTOPS, f"{_WINDOWS} {_CHROMIUM} Safari/537.36 OPR/{{opera}}.0.0.0"),
    _Kind(6.0, "desktop", _MACS, f"{_MAC} {_CHROMIUM} Safari/537.36"),
    _Kind(5.0, "desktop", _MACS, f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{{safari}} Safari/605.1.15"),
    _Kind(1.0, "desktop", _MACS, f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; {_GECKO}"),
    _Kind(1.3, "desktop", _LAPTOPS, f"{_LINUX} {_CHROMIUM} Safari/537.36"),
    _Kind(1.5, "desktop", _LAPTOPS, f"{_LINUX[:-1]}; {_GECKO}"),
    _Kind(1.0, "desktop", _LAPTOPS, f"{_CHROMEBOOK} {_CHROMIUM} Safari/537.36"),
    _Kind(24.0, "phone", _PHONES, f"{_ANDROID} {_CHROMIUM} Mobile Safari/537.36"),
    _Kind(
        3.5,
        "phone",
        _PHONES,
        f"{_ANDROID} AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
    ),
    _Kind(
        0.8, "phone", _PHONES, "Mozilla/5.0 (Android 14; Mobile; rv:{firefox}.0) Gecko/{firefox}.0 Firefox/{firefox}.0"
    ),
    _Kind(14.0, "phone", _IPHONES, f"{_IPHONE} Version/{{safari}} Mobile/15E148 Safari/604.1"),
    _Kind(1.8, "phone", _IPHONES, f"{_IPHONE} CriOS/{{chrome}}.0.0.0 Mobile/15E148 Safari/604.1"),
    _Kind(1.9, "tablet", _IPADS, f"{_IPAD} Version/{{safari}} Mobile/15E148 Safari/604.1"),
    _Kind(
        1.5,
        "tablet",
        _TABLETS,
        f"Mozilla/5.0 (Linux; Android 13; SM-X200) {_CHROMIUM} Safari/537.36",
    ),
)
_SHARES: Final = tuple(kind.share for kind in _KINDS)
_VERSIONS: Final = {
    "chrome": ("150", "154", "155", "156"),
    "firefox": ("140", "144", "145"),
    "safari": ("17.6", "18.5", "26.0", "26.1"),
    "ios": ("17_6", "18_5", "18_6", "18_7"),
    "opera": ("122", "124"),
}

CRAWLERS: Final = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
)


def pick_browser(chance: random.Random) -> Browser:
    """Draw a browser by its share of the web's visitors."""
    (kind,) = chance.choices(_KINDS, _SHARES)
    versions = {name: chance.choice(known) for name, known in _VERSIONS.items()}
    return Browser(kind.user_agent.format(**versions), kind.device, chance.choice(kind.screens))


def pick_crawler(chance: random.Random) -> Browser:
    """Draw a crawler, which the edge is to recognize and drop."""
    return Browser(chance.choice(CRAWLERS), "desktop", (1024, 1024, 1))
