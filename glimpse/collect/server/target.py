"""What a request is for: path and query as they came, and what is at that path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from glimpse.collect.dialects import Dialect
from glimpse.collect.endpoints import Resource, find
from glimpse.collect.request import NO_NAMES, origin_form


class Target(NamedTuple):
    """A request's target."""

    path: str
    query: str
    resource: Resource | None
    names: Mapping[str, str] = NO_NAMES  # what those in the path stand for

    def dialect(self, method: str) -> Dialect | None:
        """Return the dialect that takes events here."""
        endpoint = self.resource.endpoint(method) if self.resource else None
        return endpoint.dialect if endpoint else None


NOWHERE = Target("/?", "", None)  # no path that can be asked for


def target_of(text: bytes) -> Target:
    """Return what a request's first line names."""
    return _read(text) if b"?" in text else _known(text)


def _read(text: bytes) -> Target:
    decoded = text.decode("latin-1")
    if not decoded.startswith("/"):
        decoded = origin_form(decoded)
        if decoded is None:
            return NOWHERE
    path, _, query = decoded.partition("?")
    resource = find(path)
    return Target(path, query, resource, resource.names if resource else NO_NAMES)


_known = lru_cache(256)(_read)
