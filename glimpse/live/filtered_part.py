"""One project's part of a filtered window: the events that a filter keeps, counted; their sessions, looked up.

Rule of this module: what is true of a session (who is there, where, whether it bounced) is read from the window that
hears everything, so that a filter changes whose sessions are counted, and nothing about them. Every count can be taken
back, since a filter that asks about sessions may let go of an event that it kept.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from glimpse.events import PAGE_VIEW, Event
from glimpse.live.numbers import Minute, PlaceNow, Recent
from glimpse.live.places import Key, place_key
from glimpse.live.project import RATE_SECONDS, RECENT, ProjectWindow
from glimpse.live.room import Room
from glimpse.live.tally import MINUTE_MS, minute_of, take
from glimpse.live.visit import Presence, heard_at


class _Kept(NamedTuple):
    """What an event was counted under."""

    event: Event
    minute: int
    session_id: str  # of the event's session when it was counted
    heard_at: int
    place: Key | None


class _Minute:
    """What the filter keeps of one minute."""

    __slots__ = ("ids", "names", "page_views", "peak", "sessions")

    def __init__(self) -> None:
        self.ids: list[str] = []  # of events; some may have been let go of since
        self.page_views = 0
        self.names: dict[str, int] = {}
        self.sessions: dict[str, int] = {}  # events of each
        self.peak = 0  # most sessions open at once, as often as anybody looked


class There(NamedTuple):
    """How many sessions are there."""

    active: int = 0
    idle: int = 0


class ShownPlaces:
    """The places of events and sessions; one that has not changed stays the same object."""

    def __init__(self) -> None:
        self._shown: dict[Key, PlaceNow] = {}

    def now(self) -> list[PlaceNow]:
        """Return every place's numbers, in the order in which they came up."""
        return list(self._shown.values())

    def show(self, places: dict[Key, PlaceNow]) -> None:
        """Take newer numbers."""
        before = self._shown
        order = [*(key for key in before if key in places), *(key for key in places if key not in before)]
        self._shown = {key: before[key] if before.get(key) == places[key] else places[key] for key in order}


class FilteredPart:
    """Counts of the events that a filter keeps; `settle` before they are read."""

    def __init__(self, base: ProjectWindow, since: int, most_events: int, room: Room) -> None:
        self.base = base
        self._room = room
        self._most_events = most_events
        self._kept: dict[str, _Kept] = {}
        self._members: dict[str, set[str]] = {}  # session -> its events that are kept
        self._minutes: dict[int, _Minute] = {}
        self._seconds: dict[int, int] = {}  # kept events by second of being heard
        self._events_at: dict[Key, int] = {}
        self._last_at: dict[Key, int] = {}  # when the last event of a place was heard
        self._bounced: set[str] = set()
        self._dropped_before = since  # earlier ones are not all there
        self.visits = There()
        self.places = ShownPlaces()
        self.recent: deque[Recent] = deque(maxlen=RECENT)
        self.page_views = 0
        self.bounces = 0
        self.events_last_minute = 0
        self.names: dict[str, int] = {}
        self.pages: dict[str | None, int] = {}
        self.sources: dict[str | None, int] = {}
        self.countries: dict[str | None, int] = {}

    # -- events come and go --------------------------------------------------------------------------------------

    def __contains__(self, event: Event) -> bool:
        return event.id in self._kept

    def has(self, session_id: str) -> bool:
        """Tell whether an event of a session is kept."""
        return session_id in self._members

    def keep(self, event: Event, number: int, now: int, *, is_older: bool = False) -> None:
        """Count one event that is not counted yet, perhaps older than all others; what lies before the span is not."""
        time = min(event.time, event.received_at, now)
        if time < self.since(now):
            return
        place = None if event.lat is None or event.lon is None else place_key(event.lat, event.lon)
        kept = _Kept(event, minute_of(time), event.session_id, min(heard_at(event), now), place)
        self._count(kept)
        if place is not None:
            self._last_at[place] = max(self._last_at.get(place, 0), kept.heard_at)
        if not is_older:
            self.recent.append(Recent(number, kept.heard_at, event))
        elif len(self.recent) < RECENT:
            self.recent.appendleft(Recent(number, kept.heard_at, event))
        while len(self._kept) > self._most_events and len(self._minutes) > 1:
            self.drop_before(min(self._minutes) + MINUTE_MS)

    def held_minutes(self) -> list[int]:
        """Return the minutes of which something is counted."""
        return [t for t, minute in self._minutes.items() if minute.names]

    def drop_before(self, t: int) -> None:
        """Let go of what lies before a time: from now on the span begins there."""
        self._dropped_before = max(self._dropped_before, t)
        self._forget_before(self._dropped_before)

    def close(self) -> None:
        """Give back all the room."""
        self._room.taken -= len(self._kept)
        self._kept = {}

    def refuse(self, event: Event) -> None:
        """Let go of an event that the filter keeps no more; it has not just come in either."""
        self._uncount(event.id)
        self.recent = deque((line for line in self.recent if line.event.id != event.id), maxlen=RECENT)

    def merge(self, gone: str, kept: str) -> None:
        """Count the events of a session that is gone as those of the one that is kept."""
        for event_id in list(self._members.get(gone, ())):
            self._count(self._uncount(event_id)._replace(session_id=kept))

    def _count(self, kept: _Kept) -> None:
        event = kept.event
        self._kept[event.id] = kept
        self._room.taken += 1
        self._members.setdefault(kept.session_id, set()).add(event.id)
        minute = self._minutes.get(kept.minute)
        if minute is None:
            minute = self._minutes[kept.minute] = _Minute()
        minute.ids.append(event.id)
        _add(minute.names, event.name)
        _add(minute.sessions, kept.session_id)
        _add(self.names, event.name)
        _add(self._seconds, kept.heard_at // 1000)
        if kept.place is not None:
            _add(self._events_at, kept.place)
        if event.name == PAGE_VIEW:
            minute.page_views += 1
            self.page_views += 1
            _add(self.pages, event.page)

    def _uncount(self, event_id: str) -> _Kept:
        kept = self._kept.pop(event_id)
        self._room.taken -= 1
        event, minute, siblings = kept.event, self._minutes[kept.minute], self._members[kept.session_id]
        siblings.discard(event_id)
        if not siblings:
            del self._members[kept.session_id]
        take(minute.names, event.name)
        take(minute.sessions, kept.session_id)
        take(self.names, event.name)
        take(self._seconds, kept.heard_at // 1000)
        if kept.place is not None:
            take(self._events_at, kept.place)
        if event.name == PAGE_VIEW:
            minute.page_views -= 1
            self.page_views -= 1
            take(self.pages, event.page)
        return kept

    def _forget_before(self, t: int) -> None:
        for over in [minute for minute in self._minutes if minute < t]:
            for event_id in self._minutes[over].ids:
                if (kept := self._kept.get(event_id)) and kept.minute == over:
                    self._uncount(event_id)
            del self._minutes[over]

    # -- what is asked -------------------------------------------------------------------------------------------

    @property
    def events(self) -> int:
        """Events that are kept."""
        return len(self._kept)

    @property
    def sessions(self) -> int:
        """Sessions of these events."""
        return len(self._members)

    @property
    def gone(self) -> int:
        """Sessions of these events that are not there any more."""
        return len(self._members) - sum(self.visits)

    def since(self, now: int) -> int:
        """Return when the span begins."""
        return max(self.base.since(now), self._dropped_before)

    def settle(self, now: int) -> None:
        """Let time pass, and look up what is known of the sessions."""
        self._forget_before(self.since(now))
        last = now // 1000
        self.events_last_minute = sum(self._seconds.get(last - ago, 0) for ago in range(RATE_SECONDS))
        self._look_up_sessions()
        if there := sum(self.visits):
            minute = self._minutes.setdefault(minute_of(now), _Minute())
            minute.peak = max(minute.peak, there)

    def minute(self, t: int) -> Minute:
        """Return one minute's counts."""
        found = self._minutes.get(t)
        if found is None:
            return Minute(t)
        sessions, events = len(found.sessions), sum(found.names.values())
        bounces = len(found.sessions.keys() & self._bounced)
        return Minute(t, events, found.page_views, sessions, bounces, found.peak or sessions, dict(found.names))

    def _look_up_sessions(self) -> None:
        there = dict.fromkeys(Presence, 0)
        at: dict[Key, list[int]] = {}  # open and active sessions
        sources: dict[str | None, int] = {}
        countries: dict[str | None, int] = {}
        self._bounced = set()
        for session_id in self._members:
            visit = self.base.visits.find(session_id)
            if visit is None:  # known no more, as after minutes were let go of early
                continue
            there[visit.presence] += 1
            _add(sources, visit.source)
            _add(countries, visit.country)
            if visit.is_bounce:
                self._bounced.add(session_id)
            if visit.presence and visit.place is not None:
                here = at.setdefault(visit.place.key, [0, 0])
                here[0] += 1
                here[1] += visit.presence is Presence.ACTIVE
        self.visits = There(there[Presence.ACTIVE], there[Presence.IDLE])
        self.sources, self.countries, self.bounces = sources, countries, len(self._bounced)
        self.places.show({key: self._place(key, *at.get(key, (0, 0))) for key in [*self._events_at, *at]})

    def _place(self, key: Key, count: int, active: int) -> PlaceNow:
        lat, lon, city, region, country = self.base.places[key].fixed
        events, last = self._events_at.get(key, 0), self._last_at.get(key, 0)
        return PlaceNow(key, lat or 0.0, lon or 0.0, city, region, country, count, active, events, last)


def _add(counts: dict[Any, int], key: Any) -> None:
    counts[key] = counts.get(key, 0) + 1
