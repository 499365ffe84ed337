"""Every filter that somebody looks through live, and how much all of them may hold together.

Rule of this module: memory has a bound whatever is asked. What nobody looks through goes first; then what is looked
through covers less, and says so; who asks for one more is told to come again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from glimpse.errors import TooManyFilters
from glimpse.events import Event, Merge, Session
from glimpse.filters import Filter
from glimpse.live.filtered import FilteredWindow, Projects, Sessions
from glimpse.live.room import Room

MOST_FILTERS = 64  # looked through at once
KEPT_FOR_MS = 60_000
# All together hold as much as two filters that keep all of a full window: a row costs some 330 bytes.
ROOM_IN_WINDOWS = 2
_WATCHED_MS = 5_000  # a viewer looks far more often; who asks once gives way to the next
_SWEEP_EVERY_MS = 10_000

_Pair = tuple[str, Filter]


class OpenFilters:
    """Each is made when it is first looked through, fed with what comes, and let go of when nobody looks any more."""

    def __init__(self, projects: Projects, sessions: Sessions, *, minutes: int, most_events: int) -> None:
        self._projects = projects
        self._sessions = sessions
        self._settings = {"minutes": minutes, "most_events": most_events}
        self._open: dict[_Pair, FilteredWindow] = {}
        self._refused: dict[_Pair, int] = {}  # that keep too much for any room, and until when
        self._swept_at = 0
        self.room = Room(ROOM_IN_WINDOWS * most_events)

    def __len__(self) -> int:
        return len(self._open)

    def find(self, project: str, where: Filter, events: Collection[Event], since: int, now: int) -> FilteredWindow:
        """Return the window of a project and a filter; the first time it is made from the events held since a time.

        Raises
        ------
        TooManyFilters
            When those that are being looked through are as many as can be, or hold as much.
        """
        self._keep_within(now)
        found = self._open.get((project, where))
        if found is None:
            self._sweep(now)
            self._refuse_what_is_too_large((project, where), now)
            self._make_room(now)
            found = FilteredWindow(
                project, where, self._projects, self._sessions, self.room, since=since, **self._settings
            )
            found.begin(events)
            self._open[project, where] = found
        return found

    def take(self, events: Sequence[Event], number: int, now: int) -> None:
        """Take what the window has taken."""
        self._sweep(now)
        for window in self._open.values():
            window.take(events, number, now)
        self._keep_within(now)

    def learn(self, sessions: Collection[Session], now: int) -> None:
        """Take up what is newly known of sessions."""
        for window in self._open.values():
            window.learn(sessions, now)

    def merge(self, merges: Sequence[Merge], now: int) -> None:
        """Make one of each two sessions that turned out to be one."""
        for window in self._open.values():
            window.merge(merges, now)

    # -- memory --------------------------------------------------------------------------------------------------

    def _make_room(self, now: int) -> None:
        while len(self._open) >= MOST_FILTERS or self.room.is_full:
            if not self._close_unwatched(now):
                held = f"{len(self._open)} filters are being looked through live already"
                most = (
                    ", the most at once" if len(self._open) >= MOST_FILTERS else f", and hold {self.room.most:,} events"
                )
                raise TooManyFilters(f"{held}{most}; leave where= out, use one of those, or ask again later")

    def _refuse_what_is_too_large(self, pair: _Pair, now: int) -> None:
        if now < self._refused.get(pair, 0):
            raise TooManyFilters(
                f"this filter keeps more of one minute than all filters may hold live ({self.room.most:,} events);"
                " ask for less, or ask the stored events"
            )

    def _keep_within(self, now: int) -> None:
        while self.room.taken > self.room.most:
            if self._close_unwatched(now):
                continue
            pair, fullest = max(self._open.items(), key=lambda item: item[1].rows)
            if not fullest.drop_oldest_minute():
                self._close(pair)
                self._refused[pair] = now + KEPT_FOR_MS

    def _close_unwatched(self, now: int) -> bool:
        pair, longest_unseen = min(self._open.items(), key=lambda item: item[1].looked_at)
        if abs(now - longest_unseen.looked_at) < _WATCHED_MS:
            return False
        self._close(pair)
        return True

    def _close(self, pair: _Pair) -> None:
        self._open.pop(pair).close()

    def _sweep(self, now: int) -> None:
        if abs(now - self._swept_at) < _SWEEP_EVERY_MS:
            return
        self._swept_at = now
        for pair in [pair for pair, window in self._open.items() if abs(now - window.looked_at) >= KEPT_FOR_MS]:
            self._close(pair)
        self._refused = {pair: until for pair, until in self._refused.items() if now < until}
