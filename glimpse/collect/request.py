"""A request, as any server can give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

NO_NAMES: Mapping[str, str] = {}


class Headers(dict[str, str]):
    """Headers that a server gives again when the same come again, and what the edge has made of them."""

    __slots__ = ("read_as",)

    read_as: Any  # the `KnownSender` that they tell of; not there at first


class Request(msgspec.Struct, frozen=True, gc=False):  # never in a cycle
    """A whole request. It holds the client's address, so it never leaves the edge."""

    body: bytes
    headers: Mapping[str, str]  # by name in Http-Header-Case
    peer: str  # the socket's other end; "" for a unix socket
    method: str = "POST"
    path: str = "/event"  # below the prefix that the server is mounted at
    query: str = ""  # as it came, without "?"
    names: Mapping[str, str] = NO_NAMES  # what the {names} in the endpoint's path stand for here
    scheme: str = "http"  # "https" when this very server speaks TLS; a proxy in front says so by a header
    prefix: str = ""  # that the server is mounted at


def origin_form(target: str) -> str | None:
    """Return the path, with its query, of a target that a proxy's client gave with scheme and host; None for none."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if not parts.netloc:
        return None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
