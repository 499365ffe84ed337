"""Where a client reached this server: what a configuration has to name, so that the client comes back here."""

from __future__ import annotations

from typing import NamedTuple

from glimpse.collect.address import reader_for
from glimpse.collect.request import Request
from glimpse.settings import Settings


class OwnAddress(NamedTuple):
    """Where a client found the server."""

    scheme: str
    host: str  # with the port, and with the prefix that the server is mounted at


def own_address(request: Request, settings: Settings) -> OwnAddress:
    """Return scheme and host that a request was sent to; a proxy's word counts only when the proxy is trusted."""
    told = request.headers if reader_for(settings).trusts(request.peer) else {}
    scheme = _first(told.get("X-Forwarded-Proto"))
    if scheme not in ("http", "https"):
        # A proxy may have left it out; but a page on https reaches no other server by http.
        scheme = "https" if (request.headers.get("Origin") or "").startswith("https://") else request.scheme
    host = _first(told.get("X-Forwarded-Host")) or request.headers.get("Host") or "localhost"
    return OwnAddress(scheme, host + request.prefix)


def _first(value: str | None) -> str:
    return (value or "").partition(",")[0].strip().lower()
