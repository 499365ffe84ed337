"""One event as it stands on the wire, and the checks that make it a claim.

The fast way is one typed decode. What it refuses is decoded again without types, to say what exactly is wrong.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import msgspec

from glimpse.events import ClaimedEvent
from glimpse.settings import Settings
from glimpse.wire.errors import FieldError, RejectReason, json_type, shown
from glimpse.wire.limits import over_limits
from glimpse.wire.times import Clock, parse_time

PROJECT = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
_ID_NAMESPACE = uuid.UUID("6f1d3c0a-5b0e-5f6e-9c57-0d2f6a1c8e44")
MOST_SESSION_ID_CHARS = 64

# Fields of the context that have a meaning, and what they may be besides null.
_TEXT, _OBJECT, _TEXT_OR_OBJECT = (str,), (dict,), (str, dict)
_CONTEXT_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("url", "referrer", "path", "title", "previousPath", "userAgent", "timezone", "language"), _TEXT),
    **dict.fromkeys(("utm", "connection"), _OBJECT),
    **dict.fromkeys(("viewport", "screen"), _TEXT_OR_OBJECT),
}
_TYPE_WORDS: dict[tuple[type, ...], str] = {
    _TEXT: "a string",
    _OBJECT: "an object",
    _TEXT_OR_OBJECT: "a string or an object",
}


class WireEvent(msgspec.Struct):
    """The fields of an event, or of an envelope around events: both are told apart by `events`."""

    projectId: str | None = None  # noqa: N815 - as on the wire, here and below
    event: str | None = None
    timestamp: int | float | str | None = None
    id: str | None = None
    sessionId: str | None = None  # noqa: N815
    properties: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    # Accepted and not stored: sessions, not people.
    userId: str | int | float | None = None  # noqa: N815
    anonymousId: str | int | float | None = None  # noqa: N815
    traits: dict[str, Any] | None = None
    # When the client sent it, by its own clock; `deferred` bodies are sent long after they are stamped.
    sentAt: int | float | str | None = None  # noqa: N815
    deferred: bool | None = None
    events: list[msgspec.Raw] | None = None


class StrictWireEvent(WireEvent, forbid_unknown_fields=True):
    """The same, for the fast way: what it refuses has a fault or unknown fields."""


KNOWN_FIELDS = frozenset(WireEvent.__struct_fields__)
_NUMBER_OR_TEXT = (str, int, float)
_FIELD_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("projectId", "event", "id", "sessionId"), (_TEXT, "a string")),
    **dict.fromkeys(("timestamp", "sentAt"), (_NUMBER_OR_TEXT, "epoch milliseconds or an ISO 8601 string")),
    **dict.fromkeys(("userId", "anonymousId"), (_NUMBER_OR_TEXT, "a string or a number")),
    **dict.fromkeys(("properties", "context", "traits"), (_OBJECT, "an object")),
    "deferred": ((bool,), "true or false"),
    "events": ((list,), "an array"),
}


def explain_types(fields: dict[str, Any]) -> list[FieldError]:
    """Return what a typed decode refused: every field with a value of the wrong type."""
    return [
        FieldError(name, f"{name} must be {words}; it is {json_type(value)}: {shown(value)}", RejectReason.WRONG_TYPE)
        for name, (types, words) in _FIELD_TYPES.items()
        if (value := fields.get(name)) is not None and not _is_one_of(value, types)
    ]


def _is_one_of(value: object, types: tuple[type, ...]) -> bool:
    return type(value) in types  # not isinstance: a boolean is no number here


def claim(event: WireEvent, project: str | None, clock: Clock, settings: Settings) -> ClaimedEvent | list[FieldError]:
    """Check one event whose types are right; return the claim, or everything that is wrong with it."""
    errors: list[FieldError] = []
    project = event.projectId if event.projectId is not None else project
    _check_project(project, errors)
    _check_name(event.event, settings, errors)
    _check_session(event.sessionId, errors)
    time_ms, was_replaced = clock.judge(event.timestamp, parse_time(event.timestamp), errors)
    context = event.context or {}
    if context:
        _check_context(context, errors)
    over_limits(event, settings, errors)
    if errors:
        return errors
    return ClaimedEvent(
        project=project or "",
        name=event.event or "",
        timestamp=time_ms,
        id=_canonical_id(event.id, project or "") if event.id else None,
        session_id=event.sessionId or None,
        properties=event.properties or {},
        context=context,
        time_was_replaced=was_replaced,
    )


def is_project(value: object) -> bool:
    """Tell whether a value can name a project."""
    return isinstance(value, str) and PROJECT.fullmatch(value) is not None


def _check_project(project: str | None, errors: list[FieldError]) -> None:
    if project is None:
        errors.append(_missing("projectId"))
    elif not PROJECT.fullmatch(project):
        allowed = "1 to 64 of the characters A-Z a-z 0-9 . _ : -"
        errors.append(
            FieldError("projectId", f"projectId must be {allowed}; it is {shown(project)}", RejectReason.BAD_VALUE),
        )


def _check_name(name: str | None, settings: Settings, errors: list[FieldError]) -> None:
    if name is None:
        errors.append(_missing("event"))
    elif not name or name.isspace():
        errors.append(FieldError("event", f"event must be a name; it is {shown(name)}", RejectReason.BAD_VALUE))
    elif len(name) > settings.max_name_chars:
        message = f"event has {len(name)} code points; at most {settings.max_name_chars} are allowed: {shown(name)}"
        errors.append(FieldError("event", message, RejectReason.OVER_LIMIT))


def _check_session(session_id: str | None, errors: list[FieldError]) -> None:
    if session_id and len(session_id) > MOST_SESSION_ID_CHARS:
        message = f"sessionId has {len(session_id)} code points; at most {MOST_SESSION_ID_CHARS} are allowed"
        errors.append(FieldError("sessionId", message, RejectReason.OVER_LIMIT))


def _check_context(context: dict[str, Any], errors: list[FieldError]) -> None:
    for name, value in context.items():
        types = _CONTEXT_TYPES.get(name)
        if types and value is not None and type(value) not in types:
            message = f"context.{name} must be {_TYPE_WORDS[types]}; it is {json_type(value)}: {shown(value)}"
            errors.append(FieldError(f"context.{name}", message, RejectReason.WRONG_TYPE))


def _missing(name: str) -> FieldError:
    return FieldError(name, f"{name} is required and missing", RejectReason.MISSING_FIELD)


def _canonical_id(event_id: str, project: str) -> str:
    """Return an idempotency key as a UUID; what is none becomes a UUIDv5 of (project, id)."""
    if matched := _UUID.fullmatch(event_id):
        return event_id.lower() if matched[1] else str(uuid.UUID(event_id))
    return str(uuid.uuid5(_ID_NAMESPACE, f"{project} {event_id}"))
