"""One project's part of the window: counts by minute, and who is there."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from glimpse.events import PAGE_VIEW, SIGNS_OF_LIFE, Event
from glimpse.live.numbers import Minute, Recent
from glimpse.live.places import PlaceCounts, Places
from glimpse.live.presence import Visits
from glimpse.live.tally import MINUTE_MS, MOST_COUNTS, MinuteCounts, Tally, minute_of
from glimpse.live.visit import GONE, Visit, heard_at

RECENT = 250
RATE_SECONDS = 60
_NEVER = 1 << 62

_Counted = tuple[Event, int, int, PlaceCounts | None]  # with its number, when it was heard, and where


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
        self.names = Tally()
        self.pages = Tally()
        self.sources = Tally()
        self.countries = Tally()
        self._counts = 0  # of a page or a name in a minute: entries held
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

    def take(self, events: Sequence[tuple[Event, int]], now: int) -> None:
        """Count events that come together, each with its number.

        One with the number 0 is from before this process, and not shown as just come in.
        """
        visits, places, since, running = self.visits, self.places, self.since(now), self._minute(minute_of(now))
        counted: dict[int, list[_Counted]] = {}
        peak, minute, those = running.peak, running, counted.setdefault(running.t, [])
        for event, number in events:
            heard = heard_at(event)
            if heard > now:  # what is stamped with a clock that is ahead must not keep anybody here
                heard = now
            visit, place = visits.hear(event, places, heard, now)
            if (there := visits.active + visits.idle) > peak:
                peak = there
            time = event.time
            if time > now:
                time = now
            if time >= since and event.name not in SIGNS_OF_LIFE:
                if not 0 <= time - minute.t < MINUTE_MS:
                    minute = self._minute(minute_of(time))
                    those = counted.setdefault(minute.t, [])
                self._count_session(event, minute, visit)
                those.append((event, number, heard, place))
            if visit.presence is GONE:
                visits.forget_if_over(event.session_id, visit)
        running.peak = peak
        for t, those in counted.items():
            self._count(self.minutes[t], those)
        self._show(list(chain.from_iterable(counted.values())))
        while self._counts > MOST_COUNTS and len(self.minutes) > 1:
            self.drop_oldest_minute()
        self.due = 0

    def _minute(self, t: int) -> MinuteCounts:
        found = self.minutes.get(t)
        if found is None:
            found = self.minutes[t] = MinuteCounts(t)
        return found

    def _count(self, minute: MinuteCounts, counted: Sequence[_Counted]) -> None:
        """Count events of one minute, those that are alike at once."""
        if not counted:
            return
        events, _, heard_times, places = zip(*counted, strict=True)
        views = [event.page for event in events if event.name == PAGE_VIEW]
        minute.events += len(counted)
        minute.page_views += len(views)
        self.events += len(counted)
        self.page_views += len(views)
        self._count_keys(self.names, minute.names, [event.name for event in events])
        self._count_keys(self.pages, minute.pages, views)
        for second, n in Counter([heard // 1000 for heard in heard_times]).items():
            self._seconds[second] = self._seconds.get(second, 0) + n
        by_place: dict[PlaceCounts, list[int]] = {}
        for place, heard in zip(places, heard_times, strict=True):
            if place is not None:
                by_place.setdefault(place, []).append(heard)
        for place, heard in by_place.items():
            place.count_events(len(heard), max(heard))
            minute.places[place] = minute.places.get(place, 0) + len(heard)

    def _count_keys(self, counts: Tally, of_minute: dict[Any, int], keys: Sequence[Any]) -> None:
        before = len(of_minute)
        for key, n in Counter(keys).items():
            counts.add(key, n)
            of_minute[key] = of_minute.get(key, 0) + n
        self._counts += len(of_minute) - before

    def _show(self, counted: list[_Counted]) -> None:
        """Let the last of them be seen as they came in."""
        last = sorted(counted, key=itemgetter(1))[-RECENT:]
        self.recent.extend(Recent(number, heard, event) for event, number, heard, _ in last)

    def _count_session(self, event: Event, minute: MinuteCounts, visit: Visit) -> None:
        if visit.is_bounce:
            visit.count(event)
            if visit.is_counted and not visit.is_bounce:
                self.bounces -= 1
                for other in visit.minutes:
                    other.bounces -= 1
        if event.session_id not in minute.sessions:
            minute.sessions.add(event.session_id)
            minute.bounces += visit.is_bounce
            visit.minutes.append(minute)
        if not visit.is_counted:
            self.visits.mark(visit, is_counted=True)
            self.sessions += 1
            self.bounces += visit.is_bounce
            self._count_origin(visit, event.source, event.country)
        elif visit.country is None and event.country is not None:
            self.countries.take(None)
            self.countries.add(event.country)
            visit.country = event.country

    def _count_origin(self, visit: Visit, source: str | None, country: str | None) -> None:
        visit.source, visit.country = source, country
        self.sources.add(source)
        self.countries.add(country)

    # -- two sessions turn out to be one ---------------------------------------------------------------------------

    def merge(self, gone_id: str, kept_id: str, now: int) -> None:
        """Make one of two sessions; nothing happens when the one that is gone is not known here."""
        gone, kept = self.visits.find(gone_id), self.visits.find(kept_id)
        if gone is None:
            return
        minutes = list({id(m): m for visit in (kept, gone) if visit for m in visit.minutes}.values())
        source, country = next(((v.source, v.country) for v in (kept, gone) if v and v.is_counted), (None, None))
        for session_id, visit in ((gone_id, gone), (kept_id, kept)):
            if visit is not None:
                self._uncount_session(session_id, visit)
        self.visits.merge(gone_id, kept_id, now)
        visit = self.visits[kept_id]
        if minutes:
            self._recount_session(kept_id, visit, minutes, source, country)
        self.visits.forget_if_over(kept_id, visit)
        self.due = 0

    def _uncount_session(self, session_id: str, visit: Visit) -> None:
        for minute in visit.minutes:
            minute.sessions.discard(session_id)
            minute.bounces -= visit.is_bounce
        visit.minutes = []
        if visit.is_counted:
            self.visits.mark(visit, is_counted=False)
            self.sessions -= 1
            self.bounces -= visit.is_bounce
            self.sources.take(visit.source)
            self.countries.take(visit.country)

    def _recount_session(
        self, session_id: str, visit: Visit, minutes: list[MinuteCounts], source: str | None, country: str | None
    ) -> None:
        visit.minutes = minutes
        self.visits.mark(visit, is_counted=True)
        for minute in minutes:
            minute.sessions.add(session_id)
            minute.bounces += visit.is_bounce
        self.sessions += 1
        self.bounces += visit.is_bounce
        self._count_origin(visit, source, country)

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
        self.names.take_all(minute.names)
        self.pages.take_all(minute.pages)
        self._counts -= len(minute.names) + len(minute.pages)
        for place, n in minute.places.items():
            place.uncount_events(n)
        for session_id in minute.sessions:
            visit = self.visits[session_id]
            visit.minutes.remove(minute)
            if not visit.minutes:
                self._forget_session(session_id, visit)

    def _forget_session(self, session_id: str, visit: Visit) -> None:
        self.visits.mark(visit, is_counted=False)
        self.sessions -= 1
        self.bounces -= visit.is_bounce
        self.sources.take(visit.source)
        self.countries.take(visit.country)
        self.visits.forget_if_over(session_id, visit)

    def _next_due(self, now: int) -> int:
        """Return when to look again: the next second while the rate falls, else the next change of any kind."""
        turns = minute_of(now) + MINUTE_MS if self.minutes else _NEVER
        falls = (min(self._seconds) + RATE_SECONDS) * 1000 if self._seconds else _NEVER
        return min(turns, falls, self.visits.next_due or _NEVER)

    # -- what is asked -------------------------------------------------------------------------------------------

    @property
    def gone(self) -> int:
        """Sessions of the span that are not there any more."""
        return self.sessions - self.visits.counted

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
