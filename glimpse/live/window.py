"""The recent past in memory: the drain appends, viewers look.

Rule of this module: one writer, versioned pull. It knows no viewer; who wants to follow compares `look` with what
it saw last, which costs next to nothing while nothing changes.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from heapq import nlargest
from typing import NamedTuple

from glimpse.events import SIGNS_OF_LIFE, Event, Merge, Session, is_layer, relabel
from glimpse.filters import Filter, Where, as_filter
from glimpse.filters.predicate import predicate_of
from glimpse.live.filtered import ALL_PROJECTS, FilteredWindow
from glimpse.live.here import here_of
from glimpse.live.numbers import Here, LiveNumbers
from glimpse.live.open_filters import OpenFilters
from glimpse.live.project import ProjectWindow
from glimpse.live.summing import numbers_of
from glimpse.live.tally import MINUTE_MS, minute_of

_NEVER = 1 << 62
_read = lru_cache(maxsize=256)(as_filter)  # a viewer that asks with a text does so many times a second
_compiled = lru_cache(maxsize=256)(predicate_of)


class Arrivals(NamedTuple):
    """Some of what came in."""

    events: list[Event]
    position: int  # go on from here
    has_gap: bool  # some that came in after the position asked for are not held any more


class Window:
    """Every project's last minutes.

    Parameters
    ----------
    minutes
        The span: the running minute and the full ones before it.
    max_events
        Most events kept as they are, and most sessions. Counts go on past it for events; past it for sessions the
        oldest minutes go, and `covers_since` says so.
    now_ms
        The clock, epoch milliseconds.
    """

    def __init__(
        self,
        *,
        minutes: int,
        max_events: int,
        now_ms: Callable[[], int],
        idle_after_ms: int = 30_000,
        gone_after_ms: int = 300_000,
    ) -> None:
        self._minutes = minutes
        self._max_events = max_events
        self._now_ms = now_ms
        self._presence = (idle_after_ms, gone_after_ms)
        self._projects: dict[str, ProjectWindow] = {}
        self._events: deque[Event] = deque()
        self._leave_at: deque[int] = deque()  # when each of them is older than the span, by this window's own clock
        self._ids: defaultdict[str, set[str]] = defaultdict(set)  # of them, by project
        self._let_go = 0  # events that are held no more
        self._held_since = 0  # before it events were let go of early
        self._number = 0
        self._due = _NEVER
        self._seen: dict[str, LiveNumbers] = {}
        self._sessions: dict[tuple[str, str], Session] = {}
        self._filtered = OpenFilters(self._projects, self._sessions, minutes=minutes, most_events=max_events)
        self._forgot_in = 0  # the minute in which sessions were let go of last
        self._passed = 0  # how often time alone changed something
        self.version = 0

    # -- the drain ----------------------------------------------------------------------------------------------

    def append(self, events: Sequence[Event]) -> None:
        """Take what has just come in, signs of life included; an event that is known already changes nothing."""
        self._take(events, is_new=True)

    def learn(self, sessions: Mapping[tuple[str, str], Session], *, are_stored: bool = False) -> None:
        """Take up what is known of sessions by project and id, for filters and lists; before their events are appended.

        What was stored may be older than what is known: then only of sessions that are not known.
        """
        if are_stored:
            sessions = {pair: session for pair, session in sessions.items() if pair not in self._sessions}
        if not sessions:
            return
        self._sessions.update(sessions)
        if len(self._filtered):
            self.version += 1
            self._filtered.learn(sessions.values(), self._now_ms())

    def merge(self, merges: Sequence[Merge]) -> None:
        """Make one of each two sessions that turned out to be one."""
        if not merges:
            return
        now = self._now_ms()
        self.version += 1
        for merge in merges:
            if part := self._projects.get(merge.project):
                part.merge(merge.gone, merge.kept, now)
                part.version = self.version
        relabel(self._events, merges)
        self._filtered.merge(merges, now)
        self._due = 0

    def restore(self, events: Sequence[Event]) -> None:
        """Take what came in before this process started."""
        self._take(sorted(events, key=lambda event: event.time), is_new=False)

    def _take(self, events: Sequence[Event], *, is_new: bool) -> None:
        now = self._now_ms()
        by_project: dict[str, list[tuple[Event, int]]] = {}
        for number, event in enumerate(self._hold(events, now), self._number + 1):
            by_project.setdefault(event.project, []).append((event, number if is_new else 0))
        if is_new:
            self._number += sum(map(len, by_project.values()))
        if not by_project:
            return
        self.version += 1
        for project, numbered in by_project.items():
            part = self._projects.get(project)
            if part is None:
                part = self._projects[project] = ProjectWindow(self._minutes, *self._presence)
            part.take(numbered, now)
            part.version = self.version
        self._bound_memory(now)
        self._due = 0
        self._filtered.take(events, self._number if is_new else 0, now)

    def _hold(self, events: Sequence[Event], now: int) -> list[Event]:
        """Hold events as they are; return those that were not held yet, and signs of life, which are never held."""
        span_ms = self._minutes * MINUTE_MS
        fresh: list[Event] = []
        for event in events:
            if event.name not in SIGNS_OF_LIFE:
                ids = self._ids[event.project]
                if event.id in ids:
                    continue
                ids.add(event.id)
                self._events.append(event)
                received_at = event.received_at
                self._leave_at.append(min(now, received_at) + span_ms)
            fresh.append(event)
        return fresh

    def _bound_memory(self, now: int) -> None:
        events, leave_at = self._events, self._leave_at
        while events and (len(events) > self._max_events or leave_at[0] < now):
            event, due = events.popleft(), leave_at.popleft()
            self._let_go += 1
            self._ids[event.project].discard(event.id)
            if due >= now:  # too many: what is made of those held covers less
                self._held_since = minute_of(due) - (self._minutes - 1) * MINUTE_MS
        parts = self._projects.values()
        while sum(len(part.visits) for part in parts) > self._max_events:
            fullest = max(parts, key=lambda part: len(part.visits))
            if len(fullest.minutes) <= 1:
                return
            fullest.drop_oldest_minute()

    # -- viewers ------------------------------------------------------------------------------------------------

    def look(self, project: str, where: Where | None = None) -> int:
        """Let time pass, and return a number that changes whenever what a viewer of the project sees does.

        Parameters
        ----------
        project
            One project, or "*" for all.
        where
            A filter of `glimpse.filters` in any of its forms, as everywhere below.
        """
        if self._now_ms() >= self._due:
            self._pass_time(self._now_ms())
        if (kept := _filter(where)) is not None:
            return self._through(project, kept).look(self.version, self._passed, self._now_ms())
        if project == ALL_PROJECTS:
            return self.version
        part = self._projects.get(project)
        return part.version if part else 0

    def fill(self, project: str, where: Where | None = None) -> bool:
        """Count more of what a filter keeps of the events held; return whether that is all. Each look does so too.

        Raises
        ------
        TooManyFilters
            When as many other filters as can be are being looked through.
        """
        return (kept := _filter(where)) is None or self._through(project, kept).fill(self._now_ms())

    def _through(self, project: str, where: Filter) -> FilteredWindow:
        return self._filtered.find(project, where, self._events, self._held_since, self._now_ms())

    def _pass_time(self, now: int) -> None:
        due = [part for part in self._projects.values() if now >= part.due]
        changed = [part for part in due if part.pass_time(now)]
        if changed:
            self.version += 1
            self._passed += 1
            for part in changed:
                part.version = self.version
        for project in [project for project, part in self._projects.items() if part.is_over]:
            del self._projects[project]
            self._seen.pop(project, None)
            if not self._ids[project]:
                del self._ids[project]
        self._forget_sessions(minute_of(now))
        self._due = min((part.due for part in self._projects.values()), default=_NEVER)

    def _forget_sessions(self, minute: int) -> None:
        if minute != self._forgot_in:
            self._forgot_in = minute
            parts = self._projects
            gone = [
                pair for pair in self._sessions if (part := parts.get(pair[0])) is None or not part.visits.find(pair[1])
            ]
            for pair in gone:
                del self._sessions[pair]

    def projects(self) -> list[str]:
        """Return the projects that have something in the window, the one heard last first, layers of others last."""
        return sorted(self._projects, key=lambda project: (is_layer(project), -self._projects[project].version))

    def events(self, project: str, where: Where | None = None) -> list[Event]:
        """Return the events held, as they came in; the oldest are let go of when there are too many."""
        return self._kept(self._events, project, where)

    def _kept(self, held: Iterable[Event], project: str, where: Where | None) -> list[Event]:
        is_all = project == ALL_PROJECTS
        events = [e for e in held if e.project == project or (is_all and not is_layer(e.project))]
        if (kept := _filter(where)) is None:
            return events
        keeps, sessions = _compiled(kept), self._sessions
        return [event for event in events if keeps(event, sessions.get((event.project, event.session_id)))]

    def position(self, after_id: str | None = None) -> int | None:
        """Return how many events have come in, or had with the event of an id; None when that is not held."""
        last = self._let_go + len(self._events)
        if after_id is None:
            return last
        return next((last - ago for ago, event in enumerate(reversed(self._events)) if event.id == after_id), None)

    def arrivals(self, project: str, where: Where | None, after: int, limit: int) -> Arrivals:
        """Return what came in after a position, as far as a filter keeps it now; of at most so many events."""
        first = max(0, after - self._let_go)
        examined = [self._events[at] for at in range(first, min(first + limit, len(self._events)))]
        kept = self._kept(examined, project, where)
        return Arrivals(kept, self._let_go + first + len(examined), after < self._let_go)

    def here(self, project: str, where: Where | None = None, most: int = 50) -> list[Here]:
        """Return the sessions that are there now, the one heard last first; with a filter, those of kept events.

        Raises
        ------
        TooManyFilters
            When as many other filters as can be are being looked through.
        """
        self.look(project, where)
        kept = _filter(where)
        through = None if kept is None else self._through(project, kept)
        named = [name for name in self._projects if name == project or (project == ALL_PROJECTS and not is_layer(name))]
        there = [
            (visit.heard_at, name, session_id, visit)
            for name in named
            for session_id, visit in self._projects[name].visits.latest(most, through and partial(through.has, name))
        ]
        latest = nlargest(most, there, key=lambda line: line[0])
        return [here_of(name, key, visit, self._sessions.get((name, key))) for _, name, key, visit in latest]

    def numbers(self, project: str, where: Where | None = None) -> LiveNumbers:
        """Return the live numbers, made once for each version and shared by all who ask.

        Raises
        ------
        TooManyFilters
            When as many other filters as can be are being looked through.
        """
        version = self.look(project, where)
        if (kept := _filter(where)) is not None:
            return self._through(project, kept).numbers(self._now_ms())
        known = self._seen.get(project)
        if known is None or known.version != version:
            known = self._seen[project] = self._count(project, version)
        return known

    def _count(self, project: str, version: int) -> LiveNumbers:
        if project == ALL_PROJECTS:
            parts = [part for name, part in self._projects.items() if not is_layer(name)]
        else:
            parts = [self._projects[project]] if project in self._projects else []
        return numbers_of(project, version, self._now_ms(), self._minutes, parts)


def _filter(where: Where | None) -> Filter | None:
    return _read(where) if isinstance(where, str) else as_filter(where)
