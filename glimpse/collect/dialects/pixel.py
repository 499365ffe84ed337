"""Tracking without JavaScript: `GET /pixel.gif?projectId=&event=&url=…`, an event of ours in a query string.

What is an object on the wire is given key by key, `properties.plan=pro`, or as its JSON, `properties={"price":9.5}`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from glimpse.collect.answers import Answer, verdict
from glimpse.collect.dialects.bodies import fields_of, json_object, preferred_language, sending_page
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.dialects.image import image_answer
from glimpse.collect.request import Request
from glimpse.events import PAGE_VIEW
from glimpse.settings import Settings
from glimpse.wire import Clock, FieldError, Reading, WireEvent, take_wire_event

_OBJECTS = ("properties", "context", "traits")
_CONTEXT = ("url", "referrer", "path", "title", "screen", "viewport", "language", "timezone")
_OTHERS = ("projectId", "event", "timestamp", "id", "sessionId", "userId", "anonymousId")
_AGAINST_CACHES = ("_", "rnd")
_KNOWN = frozenset((*_OBJECTS, *_CONTEXT, *_OTHERS, *_AGAINST_CACHES))


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    fields = fields_of(request.query)
    if isinstance(fields, FieldError):
        return Reading(problem=fields)
    objects = {name: _object(name, fields) for name in _OBJECTS}
    context = {name: fields[name] for name in _CONTEXT if name in fields} | objects["context"]
    if page := sending_page(request):
        context.setdefault("url", page)
    if language := preferred_language(request):
        context.setdefault("language", language)
    event = WireEvent(
        projectId=fields.get("projectId"),
        event=fields.get("event", PAGE_VIEW),
        timestamp=_time(fields.get("timestamp"), received_at),
        properties=objects["properties"],
        context=context,
        traits=objects["traits"] or None,
        id=fields.get("id"),
        sessionId=fields.get("sessionId"),
        userId=fields.get("userId"),
        anonymousId=fields.get("anonymousId"),
    )
    reading = Reading(unknown_fields=sum(not _is_known(name) for name in fields))
    take_wire_event(reading, 0, event, Clock(received_at), settings, len(request.query))
    return reading


def _object(name: str, fields: dict[str, str]) -> dict[str, Any]:
    keyed = {key.removeprefix(f"{name}."): text for key, text in fields.items() if key.startswith(f"{name}.")}
    return json_object(fields.get(name)) | keyed


def _is_known(name: str) -> bool:
    return name in _KNOWN or name.partition(".")[0] in _OBJECTS


def _time(text: str | None, received_at: int) -> float | str:
    if text is None:
        return received_at
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else text


def _answer(outcome: Outcome) -> Answer:
    answer = verdict(outcome.reading, outcome.dropped)
    return image_answer(answer.headers) if answer.status == HTTPStatus.OK else answer


PIXEL = Dialect("pixel", _read, _answer)
ENDPOINTS = (Endpoint("/pixel.gif", ("GET",), PIXEL),)
