"""One case of the contract of the wire, and what cases are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

NOW = 1_790_000_000_000  # 2026-09-21T14:13:20Z
HOUR, DAY = 3_600_000, 86_400_000
SESSION = "0192f3a4-7c00-7000-8000-1234567890ab"
NONE: Mapping[str, str] = {}


class Case(NamedTuple):
    """One request. `rows` has, for each event that is stored, some of its columns."""

    name: str
    body: bytes
    status: int
    says: tuple[str, ...] = ()  # parts of "path: message"
    rows: tuple[Mapping[str, Any], ...] = ()
    headers: Mapping[str, str] = NONE
    answer: Mapping[str, Any] | None = None  # all of it


def event(**changes: Any) -> dict[str, Any]:
    return {"projectId": "shop", "event": "sent", "timestamp": NOW} | changes


def text(value: object) -> bytes:
    """Return a value as JSON in UTF-8 without escapes; bytes as they are."""
    return value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()


def with_value(raw: str) -> bytes:
    """Return an event whose property `v` is this piece of JSON."""
    return b'{"projectId":"shop","event":"sent","timestamp":%d,"properties":{"v":%s}}' % (NOW, raw.encode())


def kept(name: str, body: object, *rows: Mapping[str, Any], **headers: str) -> Case:
    """Return a single event that is taken and stored."""
    return Case(name, text(body), 200, (), rows or ({"name": "sent"},), _named(headers), {"success": True})


def kept_batch(name: str, body: object, *rows: Mapping[str, Any], **headers: str) -> Case:
    answer = {"success": True, "accepted": len(rows), "rejected": [], "dropped": []}
    return Case(name, text(body), 200, (), rows, _named(headers), answer)


def refused(name: str, body: object, *says: str, status: int = 400, **headers: str) -> Case:
    return Case(name, text(body), status, says, (), _named(headers))


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def nested(levels: int) -> object:
    return [nested(levels - 1)] if levels else 1


def sized(size: int) -> bytes:
    """Return an event of so many bytes."""
    properties = {str(i): "x" * 4000 for i in range(8)} | {"rest": ""}
    bare = text(event(properties=properties))
    return bare[:-3] + b"y" * (size - len(bare)) + bare[-3:]


def padded(size: int) -> bytes:
    """Return a batch of one event, with so many bytes."""
    batch = text([event()])
    return b" " * (size - len(batch)) + batch


def envelope(*events: object, **fields: object) -> dict[str, Any]:
    return {"events": list(events)} | fields


def bare(**changes: Any) -> dict[str, Any]:
    return {"event": "sent", "timestamp": NOW} | changes
