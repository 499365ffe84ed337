"""Which endpoint a path is, for every server; and what lets pages of other sites use it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote

from glimpse.collect.answers import Answer
from glimpse.collect.dialects import DIALECTS, Endpoint
from glimpse.collect.request import NO_NAMES

# Pages of any site may send, without credentials, and read what the answer says.
CORS: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Glimpse-Dropped, X-Glimpse-Layer",
}
_PREFLIGHT_KEPT_S = 86_400
_USUAL_HEADERS = "Content-Type, Content-Encoding"


class Resource(NamedTuple):
    """What is at a path: its endpoints by method, and what the names in the path stand for."""

    endpoints: Mapping[str, Endpoint]
    names: Mapping[str, str] = NO_NAMES

    def endpoint(self, method: str) -> Endpoint | None:
        """Return the one for a method."""
        return self.endpoints.get("GET" if method == "HEAD" else method)

    @property
    def methods(self) -> list[str]:
        """The methods that are answered here, for `Allow`."""
        return [*self.endpoints, *(["HEAD"] if "GET" in self.endpoints else []), "OPTIONS"]


def find(path: str) -> Resource | None:
    """Return what is at a path, which is given below the server's prefix and as it came."""
    path = path.rstrip("/")
    if exact := _EXACT.get(path):
        return exact
    for pattern, endpoints in _PATTERNS:
        if found := pattern.fullmatch(path):
            return Resource(endpoints, {name: unquote(text) for name, text in found.groupdict().items()})
    return None


def preflight(asked: Mapping[str, str], methods: Sequence[str]) -> Answer:
    """Allow what a browser asks for before it sends, or before it fetches a part of the tracker.

    Parameters
    ----------
    asked
        The request's headers.
    methods
        The methods that are answered there.
    """
    headers = {
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": asked.get("Access-Control-Request-Headers") or _USUAL_HEADERS,
        "Access-Control-Max-Age": str(_PREFLIGHT_KEPT_S),
        "Vary": "Access-Control-Request-Headers",
    }
    if asked.get("Access-Control-Request-Private-Network"):
        headers["Access-Control-Allow-Private-Network"] = "true"  # a public page, a Glimpse on this machine
    return Answer(HTTPStatus.NO_CONTENT, b"", headers)


def _table() -> tuple[dict[str, Resource], list[tuple[re.Pattern[str], dict[str, Endpoint]]]]:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in (endpoint for dialect in DIALECTS for endpoint in dialect):
        by_path.setdefault(endpoint.path.rstrip("/"), {}).update(dict.fromkeys(endpoint.methods, endpoint))
    exact = {path: Resource(endpoints) for path, endpoints in by_path.items() if "{" not in path}
    return exact, [(_pattern(path), endpoints) for path, endpoints in by_path.items() if "{" in path]


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{([a-z_]+)\}", path)
    named = [f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)]
    return re.compile("".join(named))


_EXACT, _PATTERNS = _table()
