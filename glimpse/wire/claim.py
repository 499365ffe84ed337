"""One event as it stands on the wire, and the checks that make it a claim.

The fast way is one typed decode. What it refuses is decoded again without types, to say what exactly is wrong.
"""

from __future__ import annotations

import re
import uuid
from functools import lru_cache
from typing import Any, TypedDict

import msgspec

from glimpse.events import ClaimedEvent
from glimpse.settings import Settings
from glimpse.wire.errors import FieldError, RejectReason, json_type, shown
from glimpse.wire.limits import over_limits
from glimpse.wire.names import canonical_name
from glimpse.wire.times import Clock, parse_time

PROJECT = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
is_canonical = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_ID_NAMESPACE = uuid.UUID("6f1d3c0a-5b0e-5f6e-9c57-0d2f6a1c8e44")
_MOST_PROJECT_CHARS = 64
MOST_SESSION_ID_CHARS = 64

# Fields of the context that have a meaning, and what they may be besides null.
_TEXT, _OBJECT, _TEXT_OR_OBJECT = (str,), (dict,), (str, dict)
CONTEXT_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("url", "referrer", "path", "title", "previousPath", "userAgent", "timezone", "language"), _TEXT),
    **dict.fromkeys(("utm", "connection"), _OBJECT),
    **dict.fromkeys(("viewport", "screen"), _TEXT_OR_OBJECT),
}
NOT_TEXTS = frozenset(name for name, types in CONTEXT_TYPES.items() if str not in types)
_TYPE_WORDS: dict[tuple[type, ...], str] = {
    _TEXT: "a string",
    _OBJECT: "an object",
    _TEXT_OR_OBJECT: "a string or an object",
}


class Facts(TypedDict, total=False):
    """What only other trackers say of an event; see `ClaimedEvent`."""

    person: str | None
    by_server: bool
    address: str | None
    visitor: str | None
    says_bot: bool


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


class WithinLimits(WireEvent):
    """The same, from the fast way: sizes and known fields have been checked. See `within_limits`."""


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
# How JSON of a type begins; null is as good as absent.
_BEGINS: dict[type, bytes] = {str: b'"', int: b"-0123456789", float: b"", dict: b"{", list: b"[", bool: b"tf"}
_FIELD_BEGINS = {name: b"n" + b"".join(_BEGINS[kind] for kind in types) for name, (types, _) in _FIELD_TYPES.items()}


def explain_types(fields: dict[str, Any]) -> list[FieldError]:
    """Return what a typed decode refused: every field with a value of the wrong type."""
    return [
        _wrong_type(name, value)
        for name, value in fields.items()
        if value is not None and name in _FIELD_TYPES and type(value) not in _FIELD_TYPES[name][0]
    ]  # not isinstance: a boolean is no number here


def _wrong_type(name: str, value: object) -> FieldError:
    message = f"{name} must be {_FIELD_TYPES[name][1]}; it is {json_type(value)}: {shown(value)}"
    return FieldError(name, message, RejectReason.WRONG_TYPE)


def of_wrong_type(fields: dict[str, msgspec.Raw]) -> list[str]:
    """Return the names of those fields, told from how the JSON of each begins."""
    begins = _FIELD_BEGINS
    return [name for name, raw in fields.items() if name in begins and bytes(raw)[0] not in begins[name]]


def claim(
    event: WireEvent, project: str | None, clock: Clock, settings: Settings, facts: Facts | None = None
) -> ClaimedEvent | list[FieldError]:
    """Check one event whose types are right; return the claim, or everything that is wrong with it."""
    errors: list[FieldError] = []
    project = event.projectId if event.projectId is not None else project
    is_within_limits, name = isinstance(event, WithinLimits), event.event
    if project is None or not is_project(project):
        _check_project(project, errors)
    if name is None or name.isspace() or not is_within_limits:
        _check_name(name, settings, errors)
    if not is_within_limits:
        _check_session(event.sessionId, errors)
    time_ms, was_replaced = clock.judge(event.timestamp, parse_time(event.timestamp), errors)
    context = event.context or {}
    if context:
        _check_context(context, errors)
    if not is_within_limits:
        over_limits(event, settings, errors)
    if errors:
        return errors
    claimed = ClaimedEvent(
        project=project or "",
        name=canonical_name(name or "") if settings.name_aliases else name or "",
        timestamp=time_ms,
        id=canonical_id(event.id, project or "") if event.id else None,
        session_id=event.sessionId or None,
        properties=event.properties or {},
        context=context,
        time_was_replaced=was_replaced,
        user_id=_text_or_none(event.userId),
        anonymous_id=_text_or_none(event.anonymousId),
        traits=event.traits or None,
    )
    return msgspec.structs.replace(claimed, **facts) if facts else claimed


def _text_or_none(value: str | float | None) -> str | None:
    return None if value is None else str(value)


def is_project(value: object) -> bool:
    """Tell whether a value can name a project."""
    return isinstance(value, str) and len(value) <= _MOST_PROJECT_CHARS and _is_project(value)


@lru_cache(4096)
def _is_project(text: str) -> bool:
    return PROJECT.fullmatch(text) is not None


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
        # A text is in order nearly everywhere, so that is asked first.
        if type(value) is str and name not in NOT_TEXTS:
            continue
        types = CONTEXT_TYPES.get(name)
        if types and value is not None and type(value) not in types:
            message = f"context.{name} must be {_TYPE_WORDS[types]}; it is {json_type(value)}: {shown(value)}"
            errors.append(FieldError(f"context.{name}", message, RejectReason.WRONG_TYPE))


def _missing(name: str) -> FieldError:
    return FieldError(name, f"{name} is required and missing", RejectReason.MISSING_FIELD)


def canonical_id(event_id: str, project: str) -> str:
    """Return an idempotency key as a UUID; what is none becomes a UUIDv5 of (project, id)."""
    if is_canonical(event_id):
        return event_id
    if matched := _UUID.fullmatch(event_id):
        return event_id.lower() if matched[1] else str(uuid.UUID(event_id))
    return str(uuid.uuid5(_ID_NAMESPACE, f"{project} {event_id}"))
