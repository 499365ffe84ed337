"""The live window through a filter: counted when the first viewer asks, then fed with what comes, shared by all.

Rule of this module: like the window it knows no viewer, and nobody waits for it: what the window holds is counted from
the newest back, a part with each look. Every row that it holds is entered in the room that all filters share.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from glimpse.events import SIGNS_OF_LIFE, Event, Merge, Session, is_layer
from glimpse.filters import Filter
from glimpse.filters.predicate import asks_sessions, predicate_of
from glimpse.live.asked_events import AskedEvents
from glimpse.live.filtered_part import FilteredPart
from glimpse.live.numbers import LiveNumbers
from glimpse.live.project import ProjectWindow
from glimpse.live.room import Room
from glimpse.live.summing import numbers_of
from glimpse.live.tally import MINUTE_MS, minute_of

COUNTED_AT_ONCE = 4_000  # of the events held, with a look: some 10 ms
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
        room: Room,
        *,
        since: int,
        minutes: int,
        most_events: int,
    ) -> None:
        self._project = project
        self._keeps = predicate_of(where)
        self._projects = projects
        self._sessions = sessions
        self._room = room
        self._since = since
        self._minutes = minutes
        self._most_events = most_events
        self._parts: dict[str, FilteredPart] = {}
        # Only of filters that ask about sessions: a session's events, those that are not kept too.
        self._asked = AskedEvents(room) if asks_sessions(where) else None
        self._pruned_in = 0  # the minute in which it let go of old ones last
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
                self._asked.put(event)
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
            if (theirs := self._asked.of(pair)) and (part := self._part(session.project)):
                self._judge_again(theirs, session, part, now)

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
            if self._asked is not None:
                theirs = self._asked.merge((project, gone), (project, kept))
                self._judge_again(theirs, self._sessions.get((project, kept)), part, now)

    def _part(self, project: str) -> FilteredPart | None:
        base, part = self._projects.get(project), self._parts.get(project)
        if part is not None and part.base is base:
            return part
        if part is not None:
            self._parts.pop(project).close()
        if base is None:
            return None
        part = self._parts[project] = FilteredPart(base, self._since, self._most_events, self._room)
        return part

    # -- memory --------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """How much of the room it takes."""
        return sum(part.events for part in self._parts.values()) + len(self._asked or ())

    def drop_oldest_minute(self) -> bool:
        """Let go of the oldest minute, and of what has not been counted yet; return whether another minute is left."""
        minutes = {minute for part in self._parts.values() for minute in part.held_minutes()}
        if not minutes:
            return False
        begin = min(minutes) + MINUTE_MS
        if self._rest:
            begin = max(begin, minute_of(self._rest[-1].received_at) + MINUTE_MS)
        if begin > max(minutes):
            return False
        self._since, self._rest, self._is_stale = max(self._since, begin), [], True
        for part in self._parts.values():
            part.drop_before(begin)
        if self._asked is not None:
            self._asked.forget_before(begin)
        return True

    def close(self) -> None:
        """Give back all the room."""
        for part in self._parts.values():
            part.close()
        if self._asked is not None:
            self._asked.close()

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
        if self._asked is not None:
            self._prune(self._asked, now)
        numbers = numbers_of(self._project, version, now, self._minutes, parts)
        if not self._rest:
            return numbers
        covers = minute_of(self._rest[-1].received_at) + MINUTE_MS
        return msgspec.structs.replace(numbers, covers_since=max(numbers.covers_since, covers))

    def _prune(self, asked: AskedEvents, now: int) -> None:
        """Let go, once a minute, of what can't be counted any more whatever is learnt of its session."""
        if self._pruned_in != minute_of(now):
            self._pruned_in = minute_of(now)
            asked.forget_sessions(
                lambda pair: (base := self._projects.get(pair[0])) is None or not base.visits.find(pair[1])
            )
            asked.forget_before(max(self._since, minute_of(now) - (self._minutes - 1) * MINUTE_MS))


def _are_equal(one: LiveNumbers, other: LiveNumbers) -> bool:
    names = (name for name in LiveNumbers.__struct_fields__ if name not in ("version", "as_of"))
    return all(getattr(one, name) == getattr(other, name) for name in names)
