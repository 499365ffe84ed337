"""Writes a visitor's steps as the SDK in a browser would send them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from glimpse.traffic.journeys import Page, Step
from glimpse.traffic.visitors import Visitor

_CONNECTION: Final = {"effectiveType": "4g", "saveData": False, "downlink": 10, "rtt": 50}
_encode = msgspec.json.encode


class Call(NamedTuple):
    """One request: the events that leave a browser together."""

    visitor: Visitor
    body: bytes
    events: int
    is_deferred: bool = False  # they happened before


class Tracker:
    """The tracker on one visitor's page.

    Parameters
    ----------
    site
        Address the shop is under, without a slash at its end.
    project
        The project its events are for.
    """

    def __init__(self, visitor: Visitor, *, site: str, project: str, chance: random.Random, now_ms: int) -> None:
        self._visitor, self._site, self._project, self._chance = visitor, site, project, chance
        self._arrived_ms = now_ms
        self._session_id = uuid7(now_ms, chance)
        self._number = itertools.count()
        self._landing: Page | None = None
        self._surroundings = self._read_surroundings(uuid7(now_ms, chance))

    def call(self, steps: Sequence[Step], now_ms: int) -> Call:
        """Put steps that happen now into one request."""
        return self._request([self._event(step, now_ms) for step in steps], now_ms, is_deferred=False)

    def call_late(self, steps: Sequence[Step], now_ms: int) -> Call:
        """Put steps that happened when they were planned to into one request that leaves now."""
        events = [self._event(step, self._arrived_ms + round(step.at_s * 1000)) for step in steps]
        return self._request(events, now_ms, is_deferred=True)

    def _request(self, events: Sequence[dict[str, Any]], now_ms: int, *, is_deferred: bool) -> Call:
        envelope = {"projectId": self._project, "sentAt": now_ms, "deferred": is_deferred, "events": events}
        return Call(self._visitor, _encode(envelope), len(events), is_deferred)

    def _event(self, step: Step, at_ms: int) -> dict[str, Any]:
        return {
            "event": step.name,
            "id": uuid7(at_ms, self._chance, next(self._number)),
            "timestamp": at_ms,
            "sessionId": self._session_id,
            "properties": step.properties,
            "context": self._view(step) | self._surroundings,
        }

    def _view(self, step: Step) -> dict[str, Any]:
        self._landing = self._landing or step.page
        is_landing = step.before is None
        query = self._visitor.arrival.query if is_landing else ""
        view = {
            "url": f"{self._site}{step.page.path}{query}",
            "path": step.page.path,
            "title": step.page.title,
            "referrer": self._address_of(step.before) if step.before else self._visitor.arrival.referrer,
        }
        return view | ({"previousPath": step.before.path} if step.before else {})

    def _address_of(self, page: Page) -> str:
        query = self._visitor.arrival.query if page == self._landing else ""
        return f"{self._site}{page.path}{query}"

    def _read_surroundings(self, page_id: str) -> dict[str, Any]:
        browser, arrival = self._visitor.browser, self._visitor.arrival
        width, height, ratio = browser.screen
        told = {
            "entryReferrer": arrival.referrer,
            "utm": dict(arrival.utm) or None,
            "viewport": browser.viewport,
            "screen": {"width": width, "height": height, "colorDepth": 24, "pixelRatio": ratio},
            "connection": _CONNECTION if "Chrome" in browser.user_agent else None,
            "language": self._visitor.language,
            "timezone": self._visitor.place.time_zone,
            "pageId": page_id,
        }
        return {key: value for key, value in told.items() if value is not None}


def uuid7(now_ms: int, chance: random.Random, counter: int = 0) -> str:
    """Return a UUIDv7 (RFC 9562) with a 12-bit counter, which orders those of one millisecond."""
    time_bits, counter_bits = now_ms & (1 << 48) - 1, counter & 0xFFF
    value = time_bits << 80 | 7 << 76 | counter_bits << 64 | 2 << 62 | chance.getrandbits(62)
    return str(UUID(int=value))
