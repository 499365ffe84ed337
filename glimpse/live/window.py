"""The recent past in memory: the drain appends, viewers look.

Rule of this module: one writer, versioned pull. It knows no viewer; who wants to follow compares `look` with what
it saw last, which costs next to nothing while nothing changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from glimpse.events import SIGNS_OF_LIFE, Event
from glimpse.live.numbers import LiveNumbers, Minute, Recent
from glimpse.live.project import RECENT, ProjectWindow
from glimpse.live.tally import MINUTE_MS, merged, minute_of, ranked

ALL_PROJECTS = "*"
_NEVER = 1 << 62


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
        self._ids: set[tuple[str, str]] = set()
        self._number = 0
        self._due = _NEVER
        self._seen: dict[str, LiveNumbers] = {}
        self.version = 0

    # -- the drain ----------------------------------------------------------------------------------------------

    def append(self, events: Sequence[Event]) -> None:
        """Take what has just come in, signs of life included; an event that is known already changes nothing."""
        self._take(events, is_new=True)

    def restore(self, events: Sequence[Event]) -> None:
        """Take what came in before this process started."""
        self._take(sorted(events, key=lambda event: event.time), is_new=False)

    def _take(self, events: Sequence[Event], *, is_new: bool) -> None:
        now = self._now_ms()
        touched = {id(part): part for event in events if (part := self._take_one(event, now, is_new=is_new))}
        if not touched:
            return
        self._bound_memory(now)
        self.version += 1
        for part in touched.values():
            part.version = self.version
        self._due = 0

    def _take_one(self, event: Event, now: int, *, is_new: bool) -> ProjectWindow | None:
        if event.name not in SIGNS_OF_LIFE:
            pair = (event.project, event.id)
            if pair in self._ids:
                return None
            self._ids.add(pair)
            self._events.append(event)
        part = self._projects.get(event.project)
        if part is None:
            part = self._projects[event.project] = ProjectWindow(self._minutes, *self._presence)
        self._number += is_new
        part.take(event, now, self._number if is_new else None)
        return part

    def _bound_memory(self, now: int) -> None:
        since = minute_of(now) - (self._minutes - 1) * MINUTE_MS
        events = self._events
        while events and (len(events) > self._max_events or events[0].received_at < since):
            event = events.popleft()
            self._ids.discard((event.project, event.id))
        parts = self._projects.values()
        while sum(len(part.visits) for part in parts) > self._max_events:
            fullest = max(parts, key=lambda part: len(part.visits))
            if len(fullest.minutes) <= 1:
                return
            fullest.drop_oldest_minute()

    # -- viewers ------------------------------------------------------------------------------------------------

    def look(self, project: str) -> int:
        """Let time pass, and return a number that changes whenever what a viewer of the project sees does."""
        if self._now_ms() >= self._due:
            self._pass_time(self._now_ms())
        if project == ALL_PROJECTS:
            return self.version
        part = self._projects.get(project)
        return part.version if part else 0

    def _pass_time(self, now: int) -> None:
        due = [part for part in self._projects.values() if now >= part.due]
        changed = [part for part in due if part.pass_time(now)]
        if changed:
            self.version += 1
            for part in changed:
                part.version = self.version
        for project in [project for project, part in self._projects.items() if part.is_over]:
            del self._projects[project]
            self._seen.pop(project, None)
        self._due = min((part.due for part in self._projects.values()), default=_NEVER)

    def projects(self) -> list[str]:
        """Return the projects that have something in the window, the one heard last first."""
        return sorted(self._projects, key=lambda project: -self._projects[project].version)

    def events(self, project: str) -> list[Event]:
        """Return the events held, as they came in; the oldest are let go of when there are too many."""
        return [event for event in self._events if project in (ALL_PROJECTS, event.project)]

    def numbers(self, project: str) -> LiveNumbers:
        """Return the live numbers, made once for each version and shared by all who ask."""
        version = self.look(project)
        known = self._seen.get(project)
        if known is None or known.version != version:
            known = self._seen[project] = self._count(project, version)
        return known

    def _count(self, project: str, version: int) -> LiveNumbers:
        now = self._now_ms()
        if project == ALL_PROJECTS:
            parts = list(self._projects.values())
        else:
            parts = [self._projects[project]] if project in self._projects else []
        since = max((part.since(now) for part in parts), default=minute_of(now) - (self._minutes - 1) * MINUTE_MS)
        first = minute_of(now) - (self._minutes - 1) * MINUTE_MS
        return LiveNumbers(
            project=project,
            version=version,
            as_of=now,
            covers_since=since,
            active=sum(part.visits.active for part in parts),
            idle=sum(part.visits.idle for part in parts),
            events_last_minute=sum(part.events_last_minute for part in parts),
            events=sum(part.events for part in parts),
            page_views=sum(part.page_views for part in parts),
            sessions=sum(part.sessions for part in parts),
            bounces=sum(part.bounces for part in parts),
            per_minute=[
                _summed([p.minute(first + i * MINUTE_MS) for p in parts], first + i * MINUTE_MS)
                for i in range(self._minutes)
            ],
            top_names=ranked(merged(part.names for part in parts)),
            top_pages=ranked(merged(part.pages for part in parts)),
            top_sources=ranked(merged(part.sources for part in parts)),
            top_countries=ranked(merged(part.countries for part in parts)),
            places=list(chain.from_iterable(part.places.now() for part in parts)),
            recent=_latest(parts),
        )


def _latest(parts: list[ProjectWindow]) -> list[Recent]:
    together = chain.from_iterable(part.recent for part in parts)
    return sorted(together, key=lambda recent: (recent.number, recent.heard_at))[-RECENT:]


def _summed(minutes: Iterable[Minute], t: int) -> Minute:
    minutes = list(minutes)
    if len(minutes) == 1:
        return minutes[0]
    return Minute(
        t,
        sum(m.events for m in minutes),
        sum(m.page_views for m in minutes),
        sum(m.sessions for m in minutes),
        sum(m.bounces for m in minutes),
        sum(m.active for m in minutes),
        merged([{}, *(m.by_name for m in minutes)]),
    )
