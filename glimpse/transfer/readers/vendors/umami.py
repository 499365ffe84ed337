"""Umami's export: one event a row of `website_event`, a visit is a session.

Rule of this module: Umami's session is a person for a month, so it is taken only where there is no visit; its
`distinct_id` is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glimpse.enrich.source import describe_source
from glimpse.events import PAGE_VIEW, Event
from glimpse.transfer.readers.vendors.facts import Row, browser_of, id_of, system_of, text_of, time_of

NEEDS = frozenset({"event_id", "session_id", "url_path", "event_type", "created_at"})
_PAGE_VIEW = "1"
_DEVICES = {"laptop": "desktop", "mobile": "phone"}
_UTM = ("source", "medium", "campaign", "term", "content")


class Umami:
    """Reads the rows of one file."""

    def __init__(self, project: str) -> None:
        self._project = project

    def read(self, row: Row) -> Sequence[Event]:
        """Return a row as one event."""
        for column in ("event_id", "session_id"):
            if not row[column]:
                raise ValueError(f"{column} is missing")
        at = time_of(row, "created_at")
        session = text_of(row, "visit_id") or row["session_id"]
        event = Event(
            id=id_of("umami", self._project, "event", row["event_id"]),
            project=self._project,
            session_id=id_of("umami", self._project, "session", session),
            name=_name_of(row),
            time=at,
            received_at=at,
            title=text_of(row, "page_title"),
            country=text_of(row, "country"),
            city=text_of(row, "city"),
            browser=browser_of(text_of(row, "browser")),
            os=system_of(text_of(row, "os")),
            device=_DEVICES.get(row.get("device", ""), text_of(row, "device")),
            language=text_of(row, "language"),
            screen=text_of(row, "screen"),
            context=_context_of(row),
            **_page_of(row),
        )
        return [event]


def _name_of(row: Row) -> str:
    if name := row.get("event_name", "").strip():
        return name
    if row["event_type"] != _PAGE_VIEW:
        raise ValueError(f"event_name is missing, and event_type is not {_PAGE_VIEW}, which is a page view")
    return PAGE_VIEW


def _page_of(row: Row) -> dict[str, Any]:
    host, page, query = text_of(row, "hostname"), row["url_path"] or "/", row.get("url_query", "").removeprefix("?")
    url = f"https://{host}{page}" if host else None
    utm = {name: row.get(f"utm_{name}") for name in _UTM}
    found = describe_source(_referrer_of(row), f"{url or page}?{query}", utm)
    return {"host": host, "page": page, "url": url, **found._asdict()}


def _referrer_of(row: Row) -> str | None:
    host = text_of(row, "referrer_domain")
    return f"https://{host}{row.get('referrer_path') or '/'}" if host else None


def _context_of(row: Row) -> dict[str, Any]:
    region = text_of(row, "region") or text_of(row, "subdivision1")  # a code, where we have names
    told = {"regionCode": region, "tag": text_of(row, "tag")}
    return {name: value for name, value in told.items() if value}
