"""The live window through a filter: counted when the first viewer asks, then fed with what comes, shared by all.

Rule of this module: like the window it knows no viewer. One that nobody has looked through for a minute is let go of.
Nobody waits for one either: what the window holds is counted from the newest back, a part with each look.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from glimpse.errors import TooManyFilters
from glimpse.events import SIGNS_OF_LIFE, Event, Merge, Session, is_layer
from glimpse.filters import Filter
from glimpse.filters.predicate import asks_sessions, predicate_of
from glimpse.live.filtered_part import FilteredPart
from glimpse.live.numbers import LiveNumbers
from glimpse.live.project import ProjectWindow
from glimpse.live.summing import numbers_of
from glimpse.live.tally import MINUTE_MS, minute_of

MOST_FILTERS = 64  # looked through at once
COUNTED_AT_ONCE = 4_000  # of the events held, with a look: some 10 ms
KEPT_FOR_MS = 60_000
_WATCHED_MS = 5_000  # a viewer looks far more often; who asks once gives way to the next
_SWEEP_EVERY_MS = 10_000
ALL_PROJECTS = "*"

Projects = Mapping[str, ProjectWindow]
Sessions = Mapping[tuple[str, str], Session]


class FilteredWindow:
    """What one filter keeps of one project, or of all."""

    def __init__(
        self,
        project: str,
        where: Filter,
        projects: Projects,
        sessions: Sessions,
        *,
        since: int,
        minutes: int,
        most_events: int,
    ) -> None:
        self._project = project
        self._keeps = predicate_of(where)
        self._projects = projects
        self._sessions = sessions
        self._since = since
        self._minutes = minutes
        self._most_events = most_events
        self._parts: dict[str, FilteredPart] = {}
        # Only of filters that ask about sessions: a session's events, those that are not kept too.
        self._asked: dict[tuple[str, str], dict[str, Event]] | None = {} if asks_sessions(where) else None
        self._is_stale = True
        self._rest: list[Event] = []  # held before the first look and not counted yet, newest last
        self._numbers: LiveNumbers | None = None
        self._passed = 0
        self._number = 0
        self.version = -1  # not looked at yet
        self.looked_at = 0

    def is_about(self, project: str) -> bool:
        """Tell whether a project's events may be kept."""
        return project == self._project or (self._project == ALL_PROJECTS and not is_layer(project))

    def has(self, project: str, session_id: str) -> bool:
        """Tell whether an event of a session is kept."""
        return (part := self._part(project)) is not None and part.has(session_id)

    # -- what has come -------------------------------------------------------------------------------------------

    def begin(self, events: Iterable[Event]) -> None:
        """Have events counted that the window holds, in the order in which they came."""
        self._rest = list(events)

    def fill(self, now: int) -> bool:
        """Count some more of what the window held at first; return whether that is all."""
        if not self._rest:
            return True
        newest = self._rest[-COUNTED_AT_ONCE:]
        del self._rest[-COUNTED_AT_ONCE:]
        for event in reversed(newest):
            if self.is_about(event.project) and (part := self._part(event.project)):
                self._take_one(event, part, now, is_older=True)
        self._is_stale = True
        return not self._rest

    # -- what comes ----------------------------------------------------------------------------------------------

    def take(self, events: Collection[Event], number: int, now: int) -> None:
        """Take what the window has taken, the last of which has the number; those from before this process have 0."""
        if number:
            self._number = max(self._number, number - len(events))
        for event in events:
            if self.is_about(event.project) and (part := self._part(event.project)):
                self._take_one(event, part, now, is_new=number > 0)

    def _take_one(
        self, event: Event, part: FilteredPart, now: int, *, is_new: bool = False, is_older: bool = False
    ) -> None:
        pair = event.project, event.session_id
        if event.name not in SIGNS_OF_LIFE and event not in part:
            if self._asked is not None:
                self._asked.setdefault(pair, {})[event.id] = event
            if self._keeps(event, self._sessions.get(pair)):
                self._number += is_new
                part.keep(event, self._number if is_new else 0, now, is_older=is_older)
        self._is_stale = self._is_stale or part.has(event.session_id)

    def learn(self, sessions: Iterable[Session], now: int) -> None:
        """Judge anew the events of sessions of which more is known."""
        if self._asked is None:
            return
        for session in sessions:
            pair = session.project, session.id
            if pair in self._asked and (part := self._part(session.project)):
                self._judge_again(self._asked[pair].values(), session, part, now)

    def _judge_again(self, events: Iterable[Event], session: Session | None, part: FilteredPart, now: int) -> None:
        for event in events:
            is_kept = self._keeps(event, session)
            if is_kept and event not in part:
                part.keep(event, 0, now)
            elif not is_kept and event in part:
                part.refuse(event)
            else:
                continue
            self._is_stale = True

    def merge(self, merges: Iterable[Merge], now: int) -> None:
        """Make one of each two sessions that turned out to be one; the window has done so already."""
        for project, gone, kept, _ in merges:
            if not self.is_about(project) or (part := self._part(project)) is None:
                continue
            self._is_stale = self._is_stale or part.has(gone) or part.has(kept)
            part.merge(gone, kept)
            if self._asked is not None and (moved := self._asked.pop((project, gone), None)):
                theirs = self._asked.setdefault((project, kept), {})
                theirs.update(moved)
                self._judge_again(theirs.values(), self._sessions.get((project, kept)), part, now)

    def _part(self, project: str) -> FilteredPart | None:
        base, part = self._projects.get(project), self._parts.get(project)
        if base is None:
            self._parts.pop(project, None)
            return None
        if part is None or part.base is not base:
            part = self._parts[project] = FilteredPart(base, self._since, self._most_events)
        return part

    # -- what is asked -------------------------------------------------------------------------------------------

    def look(self, version: int, passed: int, now: int) -> int:
        """Return the version that is seen through the filter.

        Parameters
        ----------
        version
            The window's own.
        passed
            A number that changes when time alone changed something in the window.
        """
        self.looked_at = now
        self.fill(now)
        if self._is_stale:
            self.version, self._numbers, self._is_stale = max(version, self.version + 1), None, False
        elif passed != self._passed:
            before = self._numbers
            after = self._count(version, now)
            if before is None or not _are_equal(before, after):
                self.version, self._numbers = max(version, self.version + 1), after
        self._passed = passed
        return self.version

    def numbers(self, now: int) -> LiveNumbers:
        """Return the numbers of the version that was seen last."""
        if self._numbers is None:
            self._numbers = self._count(self.version, now)
        return self._numbers

    def _count(self, version: int, now: int) -> LiveNumbers:
        parts = [part for project in list(self._parts) if (part := self._part(project))]
        for part in parts:
            part.settle(now)
        if self._asked:
            self._forget_sessions(self._asked)
        numbers = numbers_of(self._project, version, now, self._minutes, parts)
        if not self._rest:
            return numbers
        covers = minute_of(self._rest[-1].received_at) + MINUTE_MS
        return msgspec.structs.replace(numbers, covers_since=max(numbers.covers_since, covers))

    def _forget_sessions(self, asked: dict[tuple[str, str], dict[str, Event]]) -> None:
        gone = [
            pair for pair in asked if (base := self._projects.get(pair[0])) is None or not base.visits.find(pair[1])
        ]
        for pair in gone:
            del asked[pair]


def _are_equal(one: LiveNumbers, other: LiveNumbers) -> bool:
    names = (name for name in LiveNumbers.__struct_fields__ if name not in ("version", "as_of"))
    return all(getattr(one, name) == getattr(other, name) for name in names)


class FilteredWindows:
    """Every filter that somebody looks through."""

    def __init__(self, projects: Projects, sessions: Sessions, *, minutes: int, most_events: int) -> None:
        self._projects = projects
        self._sessions = sessions
        self._settings = {"minutes": minutes, "most_events": most_events}
        self._open: dict[tuple[str, Filter], FilteredWindow] = {}
        self._swept_at = 0

    def __len__(self) -> int:
        return len(self._open)

    def find(self, project: str, where: Filter, events: Collection[Event], since: int, now: int) -> FilteredWindow:
        """Return the window of a project and a filter; the first time it is made from the events held since a time.

        Raises
        ------
        TooManyFilters
            When as many others are being looked through.
        """
        found = self._open.get((project, where))
        if found is None:
            self._make_room(now)
            found = FilteredWindow(project, where, self._projects, self._sessions, since=since, **self._settings)
            found.begin(events)
            self._open[project, where] = found
        return found

    def _make_room(self, now: int) -> None:
        if len(self._open) < MOST_FILTERS:
            return
        pair, longest_unseen = min(self._open.items(), key=lambda item: item[1].looked_at)
        if abs(now - longest_unseen.looked_at) < _WATCHED_MS:
            raise TooManyFilters(
                f"{MOST_FILTERS} filters are being looked through live already, the most at once;"
                " leave where= out, use one of those, or ask again later"
            )
        del self._open[pair]

    def take(self, events: Sequence[Event], number: int, now: int) -> None:
        """Take what the window has taken."""
        self._sweep(now)
        for window in self._open.values():
            window.take(events, number, now)

    def learn(self, sessions: Sequence[Session], now: int) -> None:
        """Take up what is newly known of sessions."""
        for window in self._open.values():
            window.learn(sessions, now)

    def merge(self, merges: Sequence[Merge], now: int) -> None:
        """Make one of each two sessions that turned out to be one."""
        for window in self._open.values():
            window.merge(merges, now)

    def _sweep(self, now: int) -> None:
        if abs(now - self._swept_at) < _SWEEP_EVERY_MS:
            return
        self._swept_at = now
        self._open = {pair: window for pair, window in self._open.items() if abs(now - window.looked_at) < KEPT_FOR_MS}
