"""How large what is inside an event may be: strings, keys, number of properties, depth, numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glimpse.settings import Settings
from glimpse.wire.errors import FieldError, RejectReason, shown

if TYPE_CHECKING:
    from glimpse.wire.claim import WireEvent

# What the buffer's encoding and every store can hold.
_LEAST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**64 - 1
_WITHOUT_LIMIT = frozenset({bool, float, type(None)})
MOST_ERRORS = 10
MOST_PATH_CHARS = 200


def over_limits(event: WireEvent, settings: Settings, errors: list[FieldError]) -> None:
    """Add an error for everything in an event that is over a limit, at most `MOST_ERRORS` in all."""
    walk = _Walk(settings, errors)
    properties = event.properties
    if properties:
        if len(properties) > settings.max_properties:
            walk.refuse("properties", f"has {len(properties)} keys", settings.max_properties)
        walk.enter_object(properties, "properties", 2)
    if event.context:
        walk.enter_object(event.context, "context", 2)
    if event.traits:
        walk.enter_object(event.traits, "traits", 2)
    for name, text in (("id", event.id), ("userId", event.userId), ("anonymousId", event.anonymousId)):
        if text is not None:
            walk.check(text, name, 2)


Path = str | tuple["Path", str | int]  # of what holds it, and its key or index there


class _Walk:
    """Goes through objects and arrays once; a path is put into words only where something is wrong."""

    def __init__(self, settings: Settings, errors: list[FieldError]) -> None:
        self.max_string = settings.max_string_chars
        self.max_key = settings.max_key_chars
        self.max_depth = settings.max_depth
        self.errors = errors

    def enter_object(self, value: dict[str, Any], path: Path, depth: int) -> None:
        if depth > self.max_depth:
            self.refuse(path, f"is nested {depth} deep", self.max_depth)
            return
        for key, item in value.items():
            if len(key) > self.max_key:
                self.refuse(path, f"has a key of {len(key)} code points ({shown(key)})", self.max_key)
            kind = type(item)
            # Told at once for what nearly all items are.
            if (kind is str and len(item) <= self.max_string) or kind in _WITHOUT_LIMIT:
                continue
            if kind is not int or not _LEAST_INTEGER <= item <= _GREATEST_INTEGER:
                self.check(item, (path, key), depth + 1)

    def enter_array(self, value: list[Any], path: Path, depth: int) -> None:
        if depth > self.max_depth:
            self.refuse(path, f"is nested {depth} deep", self.max_depth)
            return
        for index, item in enumerate(value):
            if type(item) is not str or len(item) > self.max_string:
                self.check(item, (path, index), depth + 1)

    def check(self, item: object, path: Path, depth: int) -> None:
        if isinstance(item, dict):
            self.enter_object(item, path, depth)
        elif isinstance(item, list):
            self.enter_array(item, path, depth)
        elif isinstance(item, str):
            if len(item) > self.max_string:
                self.refuse(path, f"has {len(item)} code points", self.max_string)
        elif isinstance(item, int) and not _LEAST_INTEGER <= item <= _GREATEST_INTEGER:
            self.refuse(path, f"is {shown(item)}", "-2^63 to 2^64-1")

    def refuse(self, path: Path, seen: str, allowed: object) -> None:
        if len(self.errors) < MOST_ERRORS:
            at_most = "allowed is" if isinstance(allowed, str) else "allowed is at most"
            named = self._words(path)[:MOST_PATH_CHARS]
            self.errors.append(FieldError(named, f"{named} {seen}; {at_most} {allowed}", RejectReason.OVER_LIMIT))

    def _words(self, path: Path) -> str:
        steps: list[str] = []
        while not isinstance(path, str):
            path, step = path
            steps.append(f"[{step}]" if isinstance(step, int) else f".{step[: self.max_key]}")
        return path + "".join(reversed(steps))
