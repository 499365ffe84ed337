"""The live numbers of one project: what `Window.numbers` hands out, the page draws and `/api/v1/live` answers.

Each number's formula is in docs/metrics.md. Times are epoch milliseconds UTC.
"""

from __future__ import annotations

from typing import Any

import msgspec

from glimpse.events import Event

SPAN_MINUTES = 30
TOP = 10


class Minute(msgspec.Struct, frozen=True):
    """Counts of one minute; the last of `LiveNumbers.per_minute` is still running."""

    t: int  # when it began
    events: int = 0
    page_views: int = 0
    sessions: int = 0  # with an event in this minute
    bounces: int = 0  # of these, how many are bounces as far as is known now
    active: int = 0  # most sessions open at once
    by_name: dict[str, int] = {}

    @property
    def bounce_rate(self) -> float | None:
        """Share of the minute's sessions that bounced, 0 to 1; None without sessions."""
        return self.bounces / self.sessions if self.sessions else None


class PlaceNow(msgspec.Struct, frozen=True):
    """One place and who is there. It is the same object for as long as nothing there changed."""

    key: tuple[float, float]  # latitude and longitude, rounded
    lat: float
    lon: float
    city: str | None
    region: str | None
    country: str | None
    count: int  # open sessions: active and idle
    active: int
    events: int  # over the span
    last_event_at: int

    def with_another(self, other: PlaceNow) -> PlaceNow:
        """Return the same place with what another project has there."""
        return msgspec.structs.replace(
            self,
            count=self.count + other.count,
            active=self.active + other.active,
            events=self.events + other.events,
            last_event_at=max(self.last_event_at, other.last_event_at),
        )


class Ranked(msgspec.Struct, frozen=True):
    """One line of a list of the most frequent."""

    name: str | None  # None: direct for a source, unknown for a country or page
    count: int


class Recent(msgspec.Struct, frozen=True, gc=False):  # one for each event
    """An event as it came in; `number` grows by one with each, over all projects."""

    number: int
    heard_at: int
    event: Event


class Here(msgspec.Struct, frozen=True):
    """One session that is there now; what is not known is None."""

    project: str
    session_id: str
    is_active: bool  # else idle
    heard_at: int
    page: str | None
    source: str | None
    city: str | None
    region: str | None
    country: str | None
    browser: str | None
    os: str | None
    device: str | None
    pages: int | None


class LiveNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a viewer of one project shows. Shared by all viewers: nobody changes it."""

    project: str  # "*": all projects together
    version: int
    as_of: int
    covers_since: int  # the counts cover [covers_since, as_of]
    active: int = 0
    idle: int = 0
    gone: int = 0  # of `sessions`, those that are not there any more
    events_last_minute: int = 0  # in the last 60 seconds
    events: int = 0
    page_views: int = 0
    sessions: int = 0
    bounces: int = 0
    per_minute: list[Minute] = []
    top_names: list[Ranked] = []
    top_pages: list[Ranked] = []  # by page views
    top_sources: list[Ranked] = []  # by sessions
    top_countries: list[Ranked] = []  # by sessions
    places: list[PlaceNow] = []
    recent: list[Recent] = []  # newest last

    @property
    def open_sessions(self) -> int:
        """Sessions that have a page open: active and idle together."""
        return self.active + self.idle

    @property
    def bounce_rate(self) -> float | None:
        """Share of the span's sessions that bounced, 0 to 1; None without sessions."""
        return self.bounces / self.sessions if self.sessions else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all has come in the span."""
        return not (self.events or self.open_sessions)

    def as_json(self) -> dict[str, Any]:
        """Return the answer of `/api/v1/live`, in JSON's own types, snake_case."""
        return {
            "as_of": self.as_of,
            "project": self.project,
            "covers_since": self.covers_since,
            "active": self.active,
            "idle": self.idle,
            "gone": self.gone,
            "events_last_minute": self.events_last_minute,
            "events": self.events,
            "page_views": self.page_views,
            "sessions": self.sessions,
            "bounce_rate": self.bounce_rate,
            "per_minute": [_minute_json(minute) for minute in self.per_minute],
            "top_names": [{"name": line.name, "events": line.count} for line in self.top_names],
            "top_pages": [{"page": line.name, "page_views": line.count} for line in self.top_pages],
            "top_sources": [{"source": line.name, "sessions": line.count} for line in self.top_sources],
            "top_countries": [{"country": line.name, "sessions": line.count} for line in self.top_countries],
            "places": [_place_json(place) for place in self.places if place.count],
        }


def _minute_json(minute: Minute) -> dict[str, Any]:
    return {"t": minute.t, "events": minute.events, "page_views": minute.page_views, "sessions": minute.sessions}


def _place_json(place: PlaceNow) -> dict[str, Any]:
    facts = ("country", "region", "city", "lat", "lon", "count", "active", "last_event_at")
    return {fact: getattr(place, fact) for fact in facts}
