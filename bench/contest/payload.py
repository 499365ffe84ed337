"""The requests that every server gets: whole, as bytes, with the headers of a browser behind a proxy.

Rule of this module: a request is cut where its events' ids end, so that `number.join(parts)` makes ids that no other
request has, at the cost of one copy.
"""

from __future__ import annotations

import json
import random
import time
from typing import Any
from uuid import UUID

BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari",
)
PAGES = ("/", "/pricing", "/docs", "/docs/start", "/blog/launch", "/signup", "/checkout", "/about")
ZONES = (("de-DE", "Europe/Berlin"), ("en-US", "America/New_York"), ("en-IN", "Asia/Kolkata"), ("ja-JP", "Asia/Tokyo"))
PROJECTS = ("shop", "docs", "blog", "app")
NUMBER_DIGITS = 12  # of an id's 32, at its end: the request's number, in hexadecimal
_PLACEHOLDER = "f" * NUMBER_DIGITS
_MOST_CHARS, _TOO_MANY_CHARS = 4096, 5000
TEMPLATES = 2_000  # events in them; their ids are made anew for each request
Parts = tuple[bytes, ...]


def requests_of(kind: str) -> list[Parts]:
    """Return requests of a kind: `one`, `twenty`, `large`, or a name in `REFUSED`."""
    chance = random.Random(7)
    return [_request(chance, kind) for _ in range(TEMPLATES // events_in(kind))]


def events_in(kind: str) -> int:
    """Return how many events a request of a kind holds."""
    return 20 if kind == "twenty" else 1


def _request(chance: random.Random, kind: str) -> Parts:
    browser = chance.choice(BROWSERS)
    if kind == "twenty":
        body = _json([an_event(chance, browser) for _ in range(20)])
    else:
        body = (REFUSED | {"large": _large}).get(kind, _json)(an_event(chance, browser))
    return tuple(part.encode() for part in (_head(chance, browser, len(body)) + body).split(_PLACEHOLDER))


def _head(chance: random.Random, browser: str, size: int) -> str:
    network = chance.choice(("84.160", "24.60", "103.21", "126.10"))
    lines = {
        "Host": "stats.example.com",
        "Connection": "keep-alive",
        "Content-Length": size,
        "User-Agent": browser,
        "Content-Type": "text/plain;charset=UTF-8",
        "Accept": "*/*",
        "Origin": "https://shop.example.com",
        "Sec-Fetch-Site": "same-site",
        "Sec-Fetch-Mode": "cors",
        "Referer": "https://shop.example.com/",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "de-DE,de;q=0.9,en;q=0.8",
        "X-Forwarded-For": f"{network}.{chance.randrange(256)}.{chance.randrange(1, 255)}, 10.0.0.1",
    }
    return "POST /event HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"


def an_event(chance: random.Random, browser: str) -> dict[str, Any]:
    """Return an event as the SDK sends it, some 750 bytes; its id is to be completed."""
    page, (language, zone) = chance.choice(PAGES), chance.choice(ZONES)
    return {
        "id": str(UUID(int=chance.getrandbits(128)))[:-NUMBER_DIGITS] + _PLACEHOLDER,
        "projectId": chance.choice(PROJECTS),
        "event": chance.choice(("page_view", "page_view", "page_view", "cta_clicked", "scroll_depth")),
        "timestamp": time.time_ns() // 1_000_000,
        "sessionId": str(UUID(int=chance.getrandbits(128), version=4)),
        "properties": {"button": "Get started", "variant": chance.choice("AB"), "loadTimeMs": chance.randrange(3000)},
        "context": {
            "url": f"https://shop.example.com{page}?utm_source=news&utm_medium=email",
            "path": page,
            "title": f"{page} - Example shop",
            "referrer": "https://www.google.com/",
            "previousPath": chance.choice(PAGES),
            "viewport": {"width": 1440, "height": 900},
            "screen": {"width": 1920, "height": 1080, "colorDepth": 24, "pixelRatio": 2},
            "userAgent": browser,
            "language": language,
            "timezone": zone,
            "connection": {"effectiveType": "4g", "downlink": 10, "rtt": 50, "saveData": False},
        },
    }


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _too_long(event: dict[str, Any]) -> str:
    return _json(event | {"properties": {"button": "x" * _TOO_MANY_CHARS}})


def _large(event: dict[str, Any]) -> str:
    """Return an event with as many bytes as one with a string too long, in two that are not."""
    return _json(event | {"properties": {"button": "x" * _MOST_CHARS, "b": "x" * (_TOO_MANY_CHARS - _MOST_CHARS - 7)}})


# What is wrong with an event; each costs the edge something else.
REFUSED = {
    "not JSON": lambda event: _json(event)[:-1],
    "a field missing": lambda event: _json({name: value for name, value in event.items() if name != "event"}),
    "a wrong type": lambda event: _json(event | {"event": 5}),
    "a string too long": _too_long,
    "too deep": lambda event: _json(event | {"properties": {"a": json.loads("[" * 20 + "]" * 20)}}),
}
