"""Browser, operating system and kind of device, from the user agent.

Rule of this module: parsing runs on the compiled backend only (13 µs; the pure one takes a hundred times that).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ua_parser import Domain, PartialResult
from ua_parser.loaders import load_builtins
from ua_parser.regex import Resolver  # the compiled one: importing it fails where ua-parser-rs is missing

MOST_PARSED_CHARS = 1024  # real user agents have some 120; patterns over megabytes would be a way to slow the drain


class Device(NamedTuple):
    """What a user agent tells; None is unknown."""

    browser: str | None
    os: str | None
    device: str  # desktop, phone, tablet, tv, other


class Devices:
    """Describes user agents; the last `cache_size` of them are remembered."""

    def __init__(self, cache_size: int = 10_000) -> None:
        self._parse = Resolver(load_builtins())
        self._described = lru_cache(cache_size)(self._describe)

    def describe(self, user_agent: str) -> Device:
        """Return what a user agent tells, never an error: what it hides is None and `other`."""
        return self._described(user_agent[:MOST_PARSED_CHARS])

    def _describe(self, user_agent: str) -> Device:
        parsed = self._parse(user_agent, Domain.ALL)
        browser = parsed.user_agent.family if parsed.user_agent else None
        system = _system(parsed, user_agent)
        return Device(_BROWSERS.get(browser, browser) if browser else None, system, _kind(user_agent, parsed, system))


# One name for what is one browser to the person who reads the numbers.
_BROWSERS = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome WebView",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari WebView",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Edge Mobile": "Edge",
    "Opera Mobile": "Opera",
    "IE Mobile": "IE",
    "Yandex Browser": "Yandex",
    "HeadlessChrome": "Headless Chrome",
}
_SYSTEMS = {"Mac OS X": "macOS"}
# What ua-parser has no system for when the version is missing or odd.
_SYSTEM_TOKENS = (("CrOS", "Chrome OS"), ("HarmonyOS", "HarmonyOS"), ("X11", "Linux"))

_TV = re.compile(
    r"smart-?tv|apple ?tv|google ?tv|android ?tv|hbbtv|bravia|web0s|netcast|viera|vidaa|roku|crkey|\bdtv\b"
    r"|tizen.*\btv\b|\baft[a-z0-9]{1,6}\b|mibox|shield android",
    re.IGNORECASE,
)
_CONSOLE = re.compile(r"playstation|xbox|nintendo", re.IGNORECASE)
_TABLET = re.compile(r"ipad|tablet|playbook|kindle|\bsilk/(?!.*mobile)|android(?!.*mobile)", re.IGNORECASE)
_PHONE = re.compile(
    r"iphone|ipod|android.*mobile|windows phone|blackberry|bb10|opera mini|kaios|\bmobile\b",
    re.IGNORECASE,
)
_DESKTOP_SYSTEMS = frozenset({"Windows", "macOS", "Linux", "Chrome OS", "Ubuntu", "Fedora", "Debian", "FreeBSD"})
# In this order: a television's and a console's user agent often says Android, Mobile or Windows as well.
_KINDS = ((_TV, "tv"), (_CONSOLE, "other"), (_TABLET, "tablet"), (_PHONE, "phone"))


def _system(parsed: PartialResult, user_agent: str) -> str | None:
    if parsed.os:
        return _SYSTEMS.get(parsed.os.family, parsed.os.family)
    return next((name for token, name in _SYSTEM_TOKENS if token in user_agent), None)


def _kind(user_agent: str, parsed: PartialResult, system: str | None) -> str:
    if parsed.device and parsed.device.brand == "Spider":
        return "other"
    matched = next((kind for pattern, kind in _KINDS if pattern.search(user_agent)), None)
    return matched or ("desktop" if system in _DESKTOP_SYSTEMS else "other")
