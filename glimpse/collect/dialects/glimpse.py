"""Glimpse's own events, as the SDK sends them: `POST /event`; and what they may hold."""

from __future__ import annotations

from glimpse.collect import schema
from glimpse.collect.answers import Answer, verdict
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.request import Request
from glimpse.settings import Settings
from glimpse.wire import Reading, read_events


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    return read_events(request.body, request.headers.get("Content-Encoding"), received_at, settings)


def _answer(outcome: Outcome) -> Answer:
    return verdict(outcome.reading, outcome.dropped)


GLIMPSE = Dialect("glimpse", _read, _answer)
ENDPOINTS = (
    Endpoint("/event", ("POST",), GLIMPSE),
    Endpoint("/api/v1/events", ("POST",), GLIMPSE),
    Endpoint("/api/v1/schema", ("GET",), reply=schema.reply),
)
