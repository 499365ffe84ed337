"""`GET /api/v1/schema`: the JSON Schema (2020-12) of what `POST /event` takes.

Rule of this module: fields and their types are those that decode events, limits are the settings'; only words are here.
What a schema can't say is in its description.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec

from glimpse.collect.answers import Answer
from glimpse.collect.request import Request
from glimpse.settings import Settings
from glimpse.wire.claim import CONTEXT_TYPES, MOST_SESSION_ID_CHARS, PROJECT, WireEvent

CONTENT_TYPE = "application/schema+json"
Node = dict[str, Any]

# Where Python's `$` would also match before a line feed, the end is said twice.
_END = r"$(?!\n)"
_DATE = "[0-9]{4}-?((0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])|W(0[1-9]|[1-4][0-9]|5[0-3])(-?[1-7])?)"
_HOUR = "([01][0-9]|2[0-3])(:?[0-5][0-9](:?[0-5][0-9]([.,][0-9]+)?)?)?"
_ISO = f"^{_DATE}([Tt ]{_HOUR}([Zz]|[+-]{_HOUR})?)?{_END}"

_ABOUT: Mapping[str, str] = {
    "projectId": "The site or app that it belongs to. An envelope's stands for those of its events that have none.",
    "event": "What happened: page_view, or a name of your own. Common spellings of standard names become one name.",
    "timestamp": "When it happened: epoch milliseconds, or ISO 8601 (without a zone: UTC).",
    "id": "Makes sending it twice harmless. What is no UUID becomes one.",
    "sessionId": "The client's session, a UUID or any short text; without one the server tells sessions apart.",
    "properties": "What you want to know of it: anything JSON can hold.",
    "context": "Where it happened.",
    "userId": "Who it was, as you call them. Not kept, unless the project is set to.",
    "anonymousId": "Who it was, by another tracker's id. Not kept, unless the project is set to.",
    "traits": "What is known of who it was. Not kept, unless the project is set to.",
    "sentAt": "When it was sent, by the client's clock, which is corrected by it if it is off by over 60 s.",
    "deferred": "Whether it was stamped long before it was sent, so that nothing is to be corrected.",
    "events": "The events of an envelope.",
}
_ABOUT_CONTEXT: Mapping[str, str] = {
    "url": "Address of the page; its query is not kept.",
    "referrer": "Address of the page before.",
    "path": "Path of the page, if it is not the address's.",
    "title": "Title of the page.",
    "previousPath": "Path of the view before, in the same page.",
    "userAgent": "The visitor's browser, if the request's is another.",
    "timezone": "The visitor's time zone, such as Europe/Vienna.",
    "language": "The visitor's language, such as de-AT.",
    "utm": "source, medium, campaign, term and content of a campaign's link.",
    "connection": "effectiveType, saveData, downlink and rtt.",
    "viewport": 'Size of the window: "1440x900", or width and height.',
    "screen": 'Size of the screen: "1440x900", or width, height, colorDepth and pixelRatio.',
}
_ENVELOPE_FIELDS = ("projectId", "sentAt", "deferred", "events")
_REQUIRED = ("projectId", "event", "timestamp")
_WORDS: Mapping[type, str] = {str: "string", dict: "object"}


def schema_of(settings: Settings) -> Node:
    """Return the schema, with the limits of these settings."""
    fields = _fields(settings)
    envelope = {name: fields[name] for name in _ENVELOPE_FIELDS if name != "events"}
    envelope["events"] = {"description": _ABOUT["events"], "type": "array", "maxItems": settings.max_batch_events}
    batch = {"type": "array", "items": _ref("Event"), "maxItems": settings.max_batch_events}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What POST /event takes",
        "description": _beyond(settings),
        "anyOf": [
            {"allOf": [_ref("Event"), {"properties": {"events": {"type": "null"}}}]},
            batch | {"description": "A batch."},
            _ref("Envelope"),
        ],
        "$defs": {
            "Event": _object(fields, _REQUIRED) | {"description": "One thing that happened."},
            "EventOfEnvelope": {
                "description": "The same; its project may be the envelope's.",
                "type": "object",
                "properties": fields | {"projectId": _nullable(fields["projectId"])},
                "required": ["event", "timestamp"],
            },
            "Envelope": _envelope(envelope, fields["projectId"]),
            "Context": _context(settings),
            "Value": _value(settings),
        },
    }


def reply(_request: Request, settings: Settings) -> Answer:
    """Answer with the schema."""
    return Answer(HTTPStatus.OK, _encoded(settings), {"Cache-Control": "max-age=300"}, CONTENT_TYPE)


@lru_cache(4)
def _encoded(settings: Settings) -> bytes:
    return msgspec.json.encode(schema_of(settings))


# -- inside ------------------------------------------------------------------------------------------------------------


def _beyond(settings: Settings) -> str:
    return (
        f"Besides what is said here: a body has at most {settings.max_body_bytes} bytes"
        f" ({settings.max_inflated_bytes} inflated), an event {settings.max_event_bytes} bytes and a depth of"
        f" {settings.max_depth}; a time is at most 24 hours ahead; integers are from -2^63 to 2^64-1. The good events"
        " of a batch are taken, whatever the others are."
    )


def _fields(settings: Settings) -> dict[str, Node]:
    """Return the fields of an event: their types by msgspec, with words and limits."""
    _, components = msgspec.json.schema_components((WireEvent,), ref_template="#/$defs/{name}")
    limits = _limits(settings)
    return {
        name: {"description": _ABOUT[name], **_limited(node, limits.get(name, {}), is_required=name in _REQUIRED)}
        for name, node in components["WireEvent"]["properties"].items()
    }


def _limits(settings: Settings) -> dict[str, Node]:
    """Return what holds for a field's values, by field and JSON type."""
    text = {"string": {"maxLength": settings.max_string_chars}}
    values = {"object": _values(settings)}
    return {
        "projectId": {"string": {"pattern": f"^{PROJECT.pattern}{_END}"}},
        "event": {"string": {"minLength": 1, "maxLength": settings.max_name_chars, "pattern": r"\S"}},
        "timestamp": {"string": {"pattern": _ISO}},
        "sentAt": {"string": {"pattern": _ISO}},
        "id": text,
        "sessionId": {"string": {"maxLength": MOST_SESSION_ID_CHARS}},
        "properties": {"object": _values(settings) | {"maxProperties": settings.max_properties}},
        "context": {"object": _ref("Context")},
        "userId": text,
        "anonymousId": text,
        "traits": values,
    }


def _limited(node: Node, limits: Node, *, is_required: bool) -> Node:
    """Put limits to the types that a field may have; a number may be any."""
    kinds = [kind["type"] for kind in node["anyOf"] if kind["type"] != "integer"]
    found = [{"type": kind, **limits.get(kind, {})} for kind in kinds if kind != "null" or not is_required]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _object(properties: dict[str, Node], required: tuple[str, ...]) -> Node:
    return {"type": "object", "properties": properties, "required": list(required)}


def _nullable(node: Node) -> Node:
    kept = {name: value for name, value in node.items() if name == "description"}
    return kept | {"anyOf": [{n: v for n, v in node.items() if n != "description"}, {"type": "null"}]}


def _envelope(fields: dict[str, Node], project: Node) -> Node:
    """Return an envelope: it says the project, or each of its events does."""
    any_project = {"description": _ABOUT["projectId"], "type": ["string", "null"]}
    for_all = {"required": ["projectId"], "properties": {"projectId": project, "events": _items("EventOfEnvelope")}}
    for_itself = {"properties": {"events": _items("Event")}}
    envelope = _object(fields | {"projectId": any_project}, ("events",))
    return {"description": "A batch, and what holds for all of it.", **envelope, "anyOf": [for_all, for_itself]}


def _items(name: str) -> Node:
    return {"items": _ref(name)}


def _context(settings: Settings) -> Node:
    known = {name: _context_field(name, types, settings) for name, types in CONTEXT_TYPES.items()}
    return {"description": "Known keys have these types; any further key is kept.", "type": "object"} | (
        _values(settings) | {"properties": known}
    )


def _context_field(name: str, types: tuple[type, ...], settings: Settings) -> Node:
    kinds = ["null", *(_WORDS[kind] for kind in types)]
    return {"description": _ABOUT_CONTEXT[name], "type": kinds, "maxLength": settings.max_string_chars} | (
        _values(settings)
    )


def _value(settings: Settings) -> Node:
    kinds = ["null", "boolean", "number", "string", "array", "object"]
    return {"type": kinds, "maxLength": settings.max_string_chars, "items": _ref("Value")} | _values(settings)


def _values(settings: Settings) -> Node:
    """Return what holds for keys and values of any object within an event."""
    return {"propertyNames": {"maxLength": settings.max_key_chars}, "additionalProperties": _ref("Value")}


def _ref(name: str) -> Node:
    return {"$ref": f"#/$defs/{name}"}
