"""Plausible's trackers and its Events API: `POST /api/event`, https://plausible.io/docs/events-api.

The site's domain names the project. Several domains, by comma, are an event for each.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from glimpse.collect.answers import Answer, encode
from glimpse.collect.dialects.bodies import (
    errors_of,
    given,
    in_words_of,
    is_sent_by_page,
    json_body,
    json_object,
    split_address,
    status_of,
    too_many,
)
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.request import Request
from glimpse.events import PAGE_LEAVE, PAGE_VIEW
from glimpse.settings import Settings
from glimpse.wire import Clock, FieldError, Reading, RejectReason, WireEvent, take_wire_event

_NAMES = {"pageview": PAGE_VIEW, "engagement": PAGE_LEAVE}
_UNKNOWN_DEPTH = 255  # what the tracker sends for "not measured"
# Their words for our fields, and what an error of the whole request stands under.
_FIELDS = {"projectId": "domain", "event": "event_name", "context.url": "url", "context.referrer": "referrer"}
_WHOLE = "request"


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    body = json_body(request, settings)
    if isinstance(body, FieldError):
        return Reading(problem=body)
    if not isinstance(body, dict):
        return Reading(problem=FieldError("", "the body must be a JSON object", RejectReason.WRONG_TYPE))
    domains = _domains(body)
    if refused := too_many(len(domains), settings):
        return refused
    reading = Reading(is_batch=len(domains) > 1)
    visitor = _visitor_address(request)
    facts: dict[str, Any] = {"by_server": True, "address": visitor} if visitor else {}
    for index, domain in enumerate(domains):
        event = _translated(body, domain, received_at)
        if visitor and isinstance(event, WireEvent) and event.context is not None:
            event.context["userAgent"] = request.headers.get("User-Agent") or ""
        take_wire_event(reading, index, event, Clock(received_at), settings, len(request.body), **facts)
    return reading


def _translated(body: dict[str, Any], project: Any, received_at: int) -> WireEvent | list[FieldError]:
    url, name = _either(body, "u", "url"), _either(body, "n", "name")
    if url is None:
        return [FieldError("context.url", "context.url is required and missing", RejectReason.MISSING_FIELD)]
    context = given(
        url=url,
        path=_path_with_hash(url) if _either(body, "h", "hashMode") in (1, True) else None,
        referrer=_either(body, "r", "referrer"),
        viewportWidth=_either(body, "w", "screen_width"),
        trackerVersion=body.get("v"),
        interactive=False if _either(body, "i", "interactive") is False else None,
    )
    return WireEvent(
        projectId=project,
        event=_NAMES.get(name, name) if isinstance(name, str) else name,
        timestamp=received_at,
        properties=_properties(body),
        context=context,
    )


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    revenue, depth = json_object(_either(body, "$", "revenue")), body.get("sd")
    measured = given(
        revenue=revenue.get("amount"),
        currency=revenue.get("currency"),
        engagedMs=body.get("e"),
        scrollDepth=None if depth == _UNKNOWN_DEPTH else depth,
    )
    return measured | json_object(_either(body, "m", "meta", "p", "props"))


def _domains(body: dict[str, Any]) -> list[Any]:
    """Return the projects; without a domain, the host of the page's address is one."""
    domain = _either(body, "d", "domain")
    if domain is None:
        parts = split_address(_either(body, "u", "url"))
        domain = parts.hostname if parts else None
    return [_project(part) for part in domain.split(",")] if isinstance(domain, str) else [domain]


def _project(domain: str) -> str:
    """Return a domain as Plausible knows it, without www; of "example.com/blog", the slash can't stand in a project."""
    return domain.strip().removeprefix("www.").replace("/", ":")


def _path_with_hash(url: object) -> str | None:
    parts = split_address(url)
    return f"{parts.path or '/'}#{parts.fragment}" if parts and parts.fragment else None


def _either(body: dict[str, Any], *names: str) -> Any:
    """Return the first value that is there, by its short or its long name."""
    return next((body[name] for name in names if body.get(name) is not None), None)


def _visitor_address(request: Request) -> str | None:
    """Return whose event a server sends; the Events API has it first in X-Forwarded-For, beside their User-Agent."""
    if is_sent_by_page(request):
        return None
    return (request.headers.get("X-Forwarded-For") or "").partition(",")[0].strip() or None


def _answer(outcome: Outcome) -> Answer:
    if errors := errors_of(outcome.reading):
        return _refusal(errors)
    dropped = outcome.dropped
    headers = {"X-Plausible-Dropped": str(len(dropped))} if dropped else {}
    return Answer(HTTPStatus.ACCEPTED, b"ok", headers, "text/plain; charset=utf-8")


def _refusal(errors: list[FieldError]) -> Answer:
    by_field: dict[str, list[str]] = {}
    for path, message in in_words_of(_FIELDS, errors):
        by_field.setdefault(path or _WHOLE, []).append(message)
    return Answer(status_of(errors), encode({"errors": by_field}))


PLAUSIBLE = Dialect("plausible", _read, _answer)
ENDPOINTS = (Endpoint("/api/event", ("POST",), PLAUSIBLE),)
