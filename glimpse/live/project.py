"""One project's part of the window: counts by minute, and who is there."""

from __future__ import annotations

from collections import deque

from glimpse.events import PAGE_VIEW, SIGNS_OF_LIFE, Event
from glimpse.live.numbers import Minute, Recent
from glimpse.live.places import Places
from glimpse.live.presence import Visits
from glimpse.live.tally import MINUTE_MS, MinuteCounts, add, minute_of, take, take_all
from glimpse.live.visit import Visit, heard_at

RECENT = 250
RATE_SECONDS = 60
_NEVER = 1 << 62


class ProjectWindow:
    """Counts of one project over the span; each change costs the same, however much is held."""

    def __init__(self, minutes: int, idle_after_ms: int, gone_after_ms: int) -> None:
        self._span_ms = (minutes - 1) * MINUTE_MS
        self.version = 0
        self.visits = Visits(idle_after_ms, gone_after_ms)
        self.places = Places()
        self.recent: deque[Recent] = deque(maxlen=RECENT)
        self.minutes: dict[int, MinuteCounts] = {}
        self.events = 0
        self.page_views = 0
        self.sessions = 0
        self.bounces = 0
        self.names: dict[str, int] = {}
        self.pages: dict[str | None, int] = {}
        self.sources: dict[str | None, int] = {}
        self.countries: dict[str | None, int] = {}
        self._seconds: dict[int, int] = {}  # events by second of being heard, for the last minute
        self.due = _NEVER  # when time alone changes a number
        self._running = 0  # the minute that ran when time was let pass last
        self.dropped_before = 0  # minutes before it were let go of early, to bound the memory

    def since(self, now: int) -> int:
        """Return when the span begins: the minute now running and those before it."""
        return max(minute_of(now) - self._span_ms, self.dropped_before)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to show."""
        return not (self.minutes or len(self.visits))

    # -- events come ---------------------------------------------------------------------------------------------

    def take(self, event: Event, now: int, number: int | None) -> None:
        """Count one event; without a number it is from before this process, and not shown as just come in."""
        time = min(event.time, now)
        is_counted = event.name not in SIGNS_OF_LIFE and time >= self.since(now)
        place = self.places.find(event)
        visit = self.visits.hear(event, place, now)
        minute = self._minute(minute_of(now))
        minute.peak = max(minute.peak, self.visits.open)
        if is_counted:
            self._count(event, time, visit)
            heard = min(heard_at(event), now)
            if place is not None:
                place.count_event(heard)
                minute = self._minute(minute_of(time))
                minute.places[place.key] = minute.places.get(place.key, 0) + 1
            self._seconds[heard // 1000] = self._seconds.get(heard // 1000, 0) + 1
            self.recent.append(Recent(number or 0, heard, event))
        self.visits.forget_if_over(event.session_id, visit)
        self.due = 0

    def _minute(self, t: int) -> MinuteCounts:
        found = self.minutes.get(t)
        if found is None:
            found = self.minutes[t] = MinuteCounts(t)
        return found

    def _count(self, event: Event, time: int, visit: Visit) -> None:
        minute = self._minute(minute_of(time))
        is_view = event.name == PAGE_VIEW
        name = add(self.names, event.name)
        minute.names[name] = minute.names.get(name, 0) + 1
        minute.events += 1
        minute.page_views += is_view
        self.events += 1
        self.page_views += is_view
        if is_view:
            page = add(self.pages, event.page)
            minute.pages[page] = minute.pages.get(page, 0) + 1
        self._count_session(event, minute, visit)

    def _count_session(self, event: Event, minute: MinuteCounts, visit: Visit) -> None:
        was_bounce = visit.is_counted and visit.is_bounce
        visit.count(event)
        if was_bounce and not visit.is_bounce:  # it never turns back
            for other in visit.minutes:
                other.bounces -= 1
        if event.session_id not in minute.sessions:
            minute.sessions.add(event.session_id)
            minute.bounces += visit.is_bounce
            visit.minutes.append(minute)
        if not visit.is_counted:
            visit.is_counted = True
            self.sessions += 1
            visit.source = add(self.sources, event.source)
            visit.country = add(self.countries, event.country)
        elif visit.country is None and event.country is not None:
            take(self.countries, None)
            visit.country = add(self.countries, event.country)
        self.bounces += visit.is_bounce - was_bounce

    # -- time passes ---------------------------------------------------------------------------------------------

    def pass_time(self, now: int) -> bool:
        """Let go of what has left the span, and of who has gone; return whether a number changed."""
        since, second = self.since(now), now // 1000 - RATE_SECONDS
        over = [t for t in self.minutes if t < since]
        for t in over:
            self._forget(self.minutes.pop(t))
        old = [s for s in self._seconds if s <= second]
        for s in old:
            del self._seconds[s]
        has_changed = self.visits.pass_time(now) or bool(over or old) or self._has_turned(now)
        self.due = self._next_due(now)
        return has_changed

    def drop_oldest_minute(self) -> None:
        """Bound the memory of a site that is too busy for the span: it then covers less, and says so."""
        t = min(self.minutes)
        self.dropped_before = t + MINUTE_MS
        self._forget(self.minutes.pop(t))

    def _has_turned(self, now: int) -> bool:
        """Say whether another minute runs than when this was asked last, and note who is there in it."""
        t = minute_of(now)
        if t == self._running:
            return False
        self._running = t
        if self.visits.open:
            minute = self._minute(t)
            minute.peak = max(minute.peak, self.visits.open)
        return bool(self.minutes)

    def _forget(self, minute: MinuteCounts) -> None:
        self.events -= minute.events
        self.page_views -= minute.page_views
        take_all(self.names, minute.names)
        take_all(self.pages, minute.pages)
        for key, n in minute.places.items():
            self.places[key].uncount_events(n)
        for session_id in minute.sessions:
            visit = self.visits[session_id]
            visit.minutes.remove(minute)
            if not visit.minutes:
                self._forget_session(session_id, visit)

    def _forget_session(self, session_id: str, visit: Visit) -> None:
        visit.is_counted = False
        self.sessions -= 1
        self.bounces -= visit.is_bounce
        take(self.sources, visit.source)
        take(self.countries, visit.country)
        self.visits.forget_if_over(session_id, visit)

    def _next_due(self, now: int) -> int:
        """Return when to look again: the next second while the rate falls, else the next change of any kind."""
        turns = minute_of(now) + MINUTE_MS if self.minutes else _NEVER
        falls = (min(self._seconds) + RATE_SECONDS) * 1000 if self._seconds else _NEVER
        return min(turns, falls, self.visits.next_due or _NEVER)

    # -- what is asked -------------------------------------------------------------------------------------------

    @property
    def events_last_minute(self) -> int:
        """Events heard in the last 60 seconds."""
        return sum(self._seconds.values())

    def minute(self, t: int) -> Minute:
        """Return one minute's counts."""
        counts = self.minutes.get(t)
        if counts is None:
            return Minute(t)
        sessions = len(counts.sessions)
        # A minute from before this process was not watched: that each of its sessions was there is the best guess.
        peak = counts.peak or sessions
        return Minute(t, counts.events, counts.page_views, sessions, counts.bounces, peak, dict(counts.names))
