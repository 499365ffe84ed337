"""Origins (RFC 6454) and patterns of them: `https://shop.example`, `https://*.shop.example`, `http://localhost:*`.

As in a browser, an origin without a port has its scheme's own. A `*.` stands for one or more labels, not for none.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

NO_ORIGIN = "null"  # what browsers send for sandboxed frames and local files
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_PATTERN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\*?[^/:*\s\[\]@]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}|\*))?/?"
)
_MOST_REMEMBERED = 256
_ALLOWED = "write scheme and host, such as https://shop.example, https://*.shop.example or http://localhost:8000"


def normal_origin(text: str) -> str:
    """Return a pattern as browsers write origins: lower case, ASCII, without the scheme's own port.

    Raises
    ------
    ValueError
        When it is no pattern; says what is allowed.
    """
    found = _PATTERN.fullmatch(text.lower())
    if text.lower() == NO_ORIGIN:
        return NO_ORIGIN
    if not found or (found["host"].startswith("*") and not found["host"].startswith("*.")):
        raise ValueError(f"{text!r} is no origin: {_ALLOWED}")
    port = found["port"]
    is_needless = port is None or port == _DEFAULT_PORTS.get(found["scheme"])
    return f"{found['scheme']}://{_ascii(found['host'])}{'' if is_needless else f':{port}'}"


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        raise ValueError(f"{host!r} is no host name: {_ALLOWED}") from None


def origin_of(address: str) -> str | None:
    """Return the origin of a page's address; None when it has none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower() if parts.scheme and parts.netloc else None


def is_allowed(origin: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether an origin is one that the patterns allow; without patterns, any is."""
    return not patterns or _compiled(patterns).fullmatch(origin.lower()) is not None


@lru_cache(_MOST_REMEMBERED)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_expression, patterns)))


def _expression(pattern: str) -> str:
    found = _PATTERN.fullmatch(pattern)
    if not found:
        return re.escape(pattern)
    host, port = found["host"], found["port"]
    any_label = r"[^/:]+\." if host.startswith("*.") else ""
    named = f"{re.escape(found['scheme'])}://{any_label}{re.escape(host.removeprefix('*.'))}"
    if port == "*":
        return rf"{named}(?::\d+)?"
    default = _DEFAULT_PORTS.get(found["scheme"])
    return f"{named}:{port}" if port else f"{named}(?::{default})?" if default else named
