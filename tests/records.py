"""Records for tests, with sensible facts where a test doesn't care."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from glimpse.events import AdmittedEvent, Event

NOON = 1_790_000_000_000


def admitted(name: str = "page_view", at: int = NOON, **facts: Any) -> AdmittedEvent:
    given: dict[str, Any] = {
        "project": "shop",
        "id": str(uuid4()),
        "name": name,
        "time": at,
        "received_at": at,
        "client_session": None,
        "visitor": "v1",
        "visitor_before": None,
        "network": None,
        "is_private_peer": False,
        "user_agent": "",
        "properties": {},
        "context": {},
    }
    return AdmittedEvent(**(given | facts))


def event_of(claim: AdmittedEvent, **facts: Any) -> Event:
    given: dict[str, Any] = {
        "id": claim.id,
        "project": claim.project,
        "name": claim.name,
        "time": claim.time,
        "received_at": claim.received_at,
        "properties": claim.properties,
    }
    return Event(**(given | facts))
