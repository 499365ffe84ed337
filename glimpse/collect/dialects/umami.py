"""Umami's tracker: `POST /api/send`, and `POST /api/batch` with many of the same.

The website's id names the project. The answer's `cache` comes back in `x-umami-cache`, so that a visit stays one while
the visitor's address changes: it holds the daily-salted hash, and outlives its day by no more than a session.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urljoin
from uuid import UUID

from glimpse.collect.answers import Answer, encode
from glimpse.collect.dialects.bodies import (
    errors_of,
    given,
    in_words_of,
    is_sent_by_page,
    json_body,
    json_items,
    json_of,
    milliseconds,
    sending_page,
    split_address,
    status_of,
    too_many,
)
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.request import Request
from glimpse.events import PAGE_LEAVE, PAGE_VIEW
from glimpse.settings import Settings
from glimpse.wire import Clock, FieldError, Reading, RejectReason, WireEvent, take_wire_event

_DAY_MS = 86_400_000
# The visitor's hash, its day, its project. Trackers before 2.11 send the whole answer back that it came in.
_TOKEN = re.compile(r"\b([0-9a-f]{32})\.([0-9]{1,6})\.([A-Za-z0-9._:-]{1,64})")
# The types besides "event", as names of ours; what they measure becomes properties.
_TYPES = {"identify": "identify", "performance": "performance", "engagement": PAGE_LEAVE}
_MEASURES = ("ttfb", "fcp", "lcp", "cls", "inp", "duration")
_FIELDS = {
    "projectId": "payload.website",
    "event": "payload.name",
    "timestamp": "payload.timestamp",
    "properties": "payload.data",
    "traits": "payload.data",
    "context.url": "payload.url",
    "context.referrer": "payload.referrer",
}


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    body = json_body(request, settings)
    if isinstance(body, FieldError):
        return Reading(problem=body)
    reading = Reading()
    _take(reading, 0, body, len(request.body), request, received_at, settings)
    return reading


def _read_batch(request: Request, received_at: int, settings: Settings) -> Reading:
    items = json_items(request, settings)
    if isinstance(items, FieldError):
        return Reading(problem=items, is_batch=True)
    if refused := too_many(len(items), settings):
        return refused
    reading = Reading(is_batch=True)
    for index, text in enumerate(items):
        _take(reading, index, json_of(text), len(text), request, received_at, settings)
    return reading


def _take(
    reading: Reading, index: int, body: object, size: int, request: Request, received_at: int, settings: Settings
) -> None:
    payload = body.get("payload") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(payload, dict):
        error = FieldError("payload", "payload must be an object, beside a type", RejectReason.WRONG_TYPE)
        error = body if isinstance(body, FieldError) else error
        take_wire_event(reading, index, [error], Clock(received_at), settings)
        return
    event = _translated(body.get("type"), payload, request, received_at)
    facts = _facts(payload, request, received_at, settings)
    take_wire_event(reading, index, event, Clock(received_at), settings, size, **facts)


def _translated(
    kind: object, payload: dict[str, Any], request: Request, received_at: int
) -> WireEvent | list[FieldError]:
    name = (
        (payload.get("name") or PAGE_VIEW) if kind == "event" else _TYPES.get(kind) if isinstance(kind, str) else None
    )
    if name is None:
        allowed = ", ".join(("event", *_TYPES))
        return [FieldError("type", f"type must be one of {allowed}", RejectReason.BAD_VALUE)]
    is_identify = kind == "identify"
    data, time = payload.get("data"), payload.get("timestamp")
    return WireEvent(
        projectId=payload.get("website") or payload.get("link") or payload.get("pixel"),
        event=name,
        timestamp=received_at if time is None else milliseconds(time),
        properties=None if is_identify else _properties(payload, data),
        context=_context(payload, request),
        userId=payload.get("id"),
        traits=data if is_identify else None,
    )


def _properties(payload: dict[str, Any], data: Any) -> Any:
    measured = given(engagedMs=payload.get("engagement"), **{name: payload.get(name) for name in _MEASURES})
    return measured | data if isinstance(data, dict) else data or measured


def _context(payload: dict[str, Any], request: Request) -> dict[str, Any]:
    url = _absolute(payload.get("url"), payload, request)
    return given(
        url=url,
        path=_path_alone(url),
        referrer=_absolute(payload.get("referrer"), payload, request),
        title=_decoded(payload.get("title")),
        **{name: payload.get(name) for name in ("screen", "language", "tag", "browser", "os", "device")},
        userAgent=payload.get("userAgent") or (request.headers.get("User-Agent") if payload.get("ip") else None),
    )


def _decoded(title: Any) -> Any:
    """Return a title, which version 2 sends as a part of an address."""
    return unquote(title) if isinstance(title, str) else title


def _path_alone(url: object) -> str | None:
    """Return the path of an address whose site nobody told."""
    parts = split_address(url)
    return parts.path if parts and not parts.netloc else None


def _absolute(address: Any, payload: dict[str, Any], request: Request) -> Any:
    """Return an address that may be a path on the site."""
    if not isinstance(address, str) or not address or "://" in address:
        return address
    site = _site(payload.get("hostname"), request)
    try:
        return urljoin(site, address) if site else address
    except ValueError:
        return address


def _site(host: object, request: Request) -> str | None:
    """Return the site's address: the page's own where it is of that host, for it has scheme and port as well."""
    page = sending_page(request)
    sending = split_address(page)
    if not isinstance(host, str) or not host or (sending and sending.hostname == host):
        return page
    return f"https://{host}/"


def _facts(payload: dict[str, Any], request: Request, received_at: int, settings: Settings) -> dict[str, Any]:
    """Return who it is: the visitor of the token, or whoever a server sends for.

    A page's id of a person tells nothing here: it comes in the middle of a visit, which is to stay one.
    """
    address, person = payload.get("ip"), payload.get("id")
    if isinstance(address, str) and address:
        return {"by_server": True, "address": address, "person": _text(person)}
    if visitor := _visitor_of(request, payload.get("website"), received_at, settings):
        return {"visitor": visitor}
    return {} if is_sent_by_page(request) else {"person": _text(person)}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _visitor_of(request: Request, website: object, received_at: int, settings: Settings) -> str | None:
    found = _TOKEN.search(request.headers.get("X-Umami-Cache") or "")
    if not found or found[3] != website:
        return None
    ends_at = (int(found[2]) + 1) * _DAY_MS + settings.session_timeout_s * 1000
    return found[1] if received_at < ends_at else None


def _answer(outcome: Outcome) -> Answer:
    if errors := errors_of(outcome.reading):
        return _refusal(errors)
    if outcome.dropped:
        return Answer(HTTPStatus.OK, encode({"beep": "boop"}))
    return Answer(HTTPStatus.OK, encode(_visit(outcome)))


def _answer_batch(outcome: Outcome) -> Answer:
    reading = outcome.reading
    if reading.problem:
        return _refusal([reading.problem])
    details = [{"index": refused.index, "response": _error(refused.errors)} for refused in reading.refused]
    processed = len(reading.events)
    body = {"size": processed + len(details), "processed": processed, "errors": len(details), "details": details}
    return Answer(HTTPStatus.OK, encode(body | {"cache": _visit(outcome).get("cache")}))


def _visit(outcome: Outcome) -> dict[str, str]:
    """Return what the tracker is told of its visit, and sends back."""
    if not outcome.admitted:
        return {}
    event = outcome.admitted[0]
    day = event.received_at // _DAY_MS
    if (sent := _TOKEN.search(outcome.request.headers.get("X-Umami-Cache") or "")) and sent[1] == event.visitor:
        day = int(sent[2])  # a token is never prolonged
    visit = blake2b(event.visitor.encode(), digest_size=16, person=b"visit").hexdigest()
    return {
        "cache": f"{event.visitor}.{day}.{event.project}",
        "sessionId": str(UUID(event.visitor)),
        "visitId": str(UUID(visit)),
    }


def _refusal(errors: Sequence[FieldError]) -> Answer:
    return Answer(status_of(errors), encode(_error(errors)))


def _error(errors: Sequence[FieldError]) -> dict[str, Any]:
    status = status_of(errors)
    named = in_words_of(_FIELDS, errors)
    code = "bad-request" if status == HTTPStatus.BAD_REQUEST else "payload-too-large"
    shown = [{"path": path, "message": message} for path, message in named]
    return {"error": {"message": named[0][1], "code": code, "status": int(status), "errors": shown}}


UMAMI = Dialect("umami", _read, _answer)
UMAMI_BATCH = Dialect("umami", _read_batch, _answer_batch)
ENDPOINTS = (
    Endpoint("/api/send", ("POST",), UMAMI),
    Endpoint("/api/batch", ("POST",), UMAMI_BATCH),
)
