"""A vendor's JSON body: one object or many, each decoded for itself, so that a bad one spoils no other.

Rule of this module: bad input is a value, never an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from glimpse.settings import Settings
from glimpse.wire import FieldError, RejectReason
from glimpse.wire.errors import json_type, shown
from glimpse.wire.unreadable import UNDECODABLE, not_json

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()


class Item(NamedTuple):
    """One object of a body: its fields, or what is wrong with it."""

    place: int  # in the batch
    fields: dict[str, Any] | list[FieldError]
    size: int  # bytes


class Body(NamedTuple):
    """A body taken apart: what it says for all of its items, and these."""

    fields: dict[str, Any]  # of a batch, those around it
    items: list[Item]
    is_batch: bool


def take_apart(text: bytes, settings: Settings) -> Body | FieldError:
    """Return a body's items: those of an array, those under "batch" in an object, or the object itself."""
    try:
        around, raw_items = _split(text)
        if raw_items is None:
            return Body(around, [Item(0, around, len(text))], is_batch=False)
    except UNDECODABLE as problem:
        return not_json(problem, text)
    if len(raw_items) > settings.max_batch_events:
        message = f"the batch has {len(raw_items)} events; at most {settings.max_batch_events} are allowed"
        return FieldError("batch", message, RejectReason.BATCH_TOO_LARGE)
    items = [Item(place, _object(memoryview(raw)), len(raw)) for place, raw in enumerate(raw_items)]
    return Body(around, items, is_batch=True)


def _split(text: bytes) -> tuple[dict[str, Any], list[msgspec.Raw] | None]:
    if text[:64].lstrip()[:1] == b"[":
        return {}, _list.decode(text)
    fields = _fields.decode(text)
    batch = fields.pop("batch", None)
    return {name: _any.decode(raw) for name, raw in fields.items()}, None if batch is None else _list.decode(batch)


def _object(text: memoryview) -> dict[str, Any] | list[FieldError]:
    try:
        fields = _any.decode(text)
    except UNDECODABLE as problem:
        return [not_json(problem, text)]
    if isinstance(fields, dict):
        return fields
    message = f"an event must be an object; it is {json_type(fields)}: {shown(fields)}"
    return [FieldError("", message, RejectReason.WRONG_TYPE)]


def text(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a field that is text and not empty."""
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def identifier(fields: Mapping[str, Any], name: str) -> str | None:
    """Return an id, which may be a number."""
    value = fields.get(name)
    return str(value) if type(value) in (str, int) and value != "" else None


def mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a field that is an object; an empty one where there is none."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def moment(fields: Mapping[str, Any], *names: str) -> float | str | None:
    """Return the first field that may be a time."""
    return next((fields[name] for name in names if type(fields.get(name)) in (str, int, float)), None)


def pixels(fields: Mapping[str, Any], width: str, height: str) -> dict[str, float] | None:
    """Return a size from the two fields that tell it."""
    size = {"width": fields.get(width), "height": fields.get(height)}
    return size if all(type(value) in (int, float) for value in size.values()) else None  # type: ignore[return-value]


def known(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts without those that nothing is known of."""
    return {name: value for name, value in facts.items() if value is not None and value != {}}
