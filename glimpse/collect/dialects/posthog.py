"""PostHog: `/batch/`, `/capture/`, `/e/`, `/i/v0/e/`, and what posthog-js asks for first. API keys name projects.

Source: PostHog's capture API, and the requests that its clients send.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from glimpse.collect.answers import Answer, encode, is_too_large
from glimpse.collect.dialects.bodies import is_sent_by_page
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.dialects.items import Item, known, moment, take_apart
from glimpse.collect.dialects.posthog_body import unwrapped
from glimpse.collect.dialects.posthog_event import Captured, translate
from glimpse.collect.dialects.posthog_replies import REPLIES
from glimpse.collect.request import Request
from glimpse.settings import Settings
from glimpse.wire import Clock, FieldError, Reading, RejectReason, parse_time, take_wire_event

_OK = b'{"status":"Ok"}'
# Of the oldest clients, and of the newest, which ask what became of each event: nothing said is "taken".
_SUCCESS_BY_PATH = {"/track": b"1", "/engage": b"1", "/i/v1/analytics/events": b'{"results":{}}'}
_NO_KEY = FieldError("api_key", "api_key is required and missing", RejectReason.MISSING_FIELD)
_NO_RECORDINGS = FieldError("", "recordings of the screen are not taken", RejectReason.UNSUPPORTED)


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    plain = unwrapped(request, settings)
    body = plain if isinstance(plain, FieldError) else take_apart(plain, settings)
    if isinstance(body, FieldError):
        return Reading(problem=body)
    reading = Reading(is_batch=body.is_batch)
    around = _around(request) | body.fields
    sent_at = moment(around, "sent_at")
    for item in body.items:
        captured = _captured(item, around, request)
        if isinstance(captured, Captured):
            _take(item, captured, sent_at or captured.sent_at, request, reading, received_at, settings)
        else:
            take_wire_event(reading, item.place, captured, Clock(received_at), settings)
    return reading


def _around(request: Request) -> dict[str, Any]:
    """Return what a request says beside its body: the newest clients put key, clock and library into headers."""
    headers = request.headers
    scheme, _, key = (headers.get("Authorization") or "").partition(" ")
    facts = {
        "api_key": key.strip() if scheme.lower() == "bearer" else None,
        "sent_at": headers.get("Posthog-Request-Timestamp") or dict(parse_qsl(request.query)).get("sent_at"),
        "$lib": (headers.get("Posthog-Sdk-Info") or "").partition("/")[0] or None,
    }
    return known(facts)


def _captured(item: Item, around: dict[str, Any], request: Request) -> Captured | list[FieldError]:
    if not isinstance(item.fields, dict):
        return item.fields
    is_update = request.path.startswith("/engage") and "event" not in item.fields
    captured = translate(item.fields | {"event": "$set"} if is_update else item.fields, around)
    return [_NO_KEY] if isinstance(captured, Captured) and captured.event.projectId is None else captured


def _take(
    item: Item,
    captured: Captured,
    sent_at: float | str | None,
    request: Request,
    reading: Reading,
    received_at: int,
    settings: Settings,
) -> None:
    event = captured.event
    if event.timestamp is None:
        event.timestamp = received_at - _offset_ms(item)
    by_server = not (is_sent_by_page(request) or captured.is_from_device)
    take_wire_event(
        reading,
        item.place,
        event,
        Clock.of_body(received_at, parse_time(sent_at), deferred=False),
        settings,
        size=item.size,
        person=captured.person,
        by_server=by_server,
        address=captured.address if by_server else None,
    )


def _offset_ms(item: Item) -> int:
    """Return how long ago an event was when it was sent, which clients without a clock to trust say."""
    offset = item.fields.get("offset") if isinstance(item.fields, dict) else None
    return int(offset) if isinstance(offset, int | float) and abs(offset) < 2**53 else 0


def _read_recording(_request: Request, _received_at: int, _settings: Settings) -> Reading:
    return Reading(problem=_NO_RECORDINGS)


def _answer(outcome: Outcome) -> Answer:
    reading = outcome.reading
    errors = [reading.problem] if reading.problem else [error for r in reading.refused for error in r.errors]
    if any(error.reason is not RejectReason.UNSUPPORTED for error in errors) and not reading.events:
        return _refusal(errors)
    headers = {"X-Glimpse-Dropped": str(RejectReason.UNSUPPORTED)} if errors and not reading.events else {}
    path = outcome.request.path.rstrip("/")
    return Answer(HTTPStatus.OK, _SUCCESS_BY_PATH.get(path, _OK), headers)


def _refusal(errors: list[FieldError]) -> Answer:
    error = errors[0]
    status, kind, code = HTTPStatus.BAD_REQUEST, "validation_error", "invalid_payload"
    if error is _NO_KEY:
        status, kind, code = HTTPStatus.UNAUTHORIZED, "authentication_error", "missing_api_key"
    elif is_too_large(errors):
        status, code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large"
    return Answer(status, encode({"type": kind, "code": code, "detail": error.message, "attr": error.path or None}))


POSTHOG = Dialect("posthog", _read, _answer)
RECORDINGS = Dialect("posthog recordings", _read_recording, _answer)
ENDPOINTS = (
    *(Endpoint(path, ("POST",), POSTHOG) for path in ("/batch", "/capture", "/e", "/i/v0/e", *_SUCCESS_BY_PATH)),
    Endpoint("/s", ("POST",), RECORDINGS),
    *REPLIES,
)
