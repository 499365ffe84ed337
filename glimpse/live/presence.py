"""Who is there: every open session of a project, kept right by what is heard and by what is not heard any more."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from glimpse.events import PAGE_HIDDEN, PAGE_LEAVE, Event
from glimpse.live.places import PlaceCounts, Places
from glimpse.live.visit import ACTIVE, GONE, IDLE, Presence, Visit

_SILENCING = frozenset({PAGE_HIDDEN, PAGE_LEAVE})


class Visits:
    """The sessions of one project. A session is let go of when it is gone and no event of it is in the span."""

    def __init__(self, idle_after_ms: int, gone_after_ms: int) -> None:
        self._idle_after_ms = idle_after_ms
        self._gone_after_ms = gone_after_ms
        self._visits: dict[str, Visit] = {}
        self._due: list[tuple[int, str]] = []  # heap; a visit's entry counts only if it names the visit's own `due`
        self.active = 0
        self.idle = 0
        self.counted = 0  # of these, those that are among the span's sessions

    def __len__(self) -> int:
        return len(self._visits)

    def __getitem__(self, session_id: str) -> Visit:
        return self._visits[session_id]

    @property
    def open(self) -> int:
        """Active and idle sessions."""
        return self.active + self.idle

    @property
    def next_due(self) -> int | None:
        """When a presence may change by time alone."""
        return self._due[0][0] if self._due else None

    def hear(self, event: Event, places: Places, heard: int, now: int) -> tuple[Visit, PlaceCounts | None]:
        """Take up one event, heard when `heard_at` tells and not after now; return its visit and its place."""
        visit = self._visits.get(event.session_id)
        if visit is None:
            visit = self._visits[event.session_id] = Visit()
        visit.hear(event, heard)
        place = visit.place
        if place is None or visit.presence is GONE or event.lat != place.lat or event.lon != place.lon:
            place = places.find(event)
            if place is not None and place is not visit.place:
                self._move(visit, place)
        # Who is active stays so, whatever is heard but a page that hides or leaves; until time tells otherwise.
        if visit.presence is not ACTIVE or event.name in _SILENCING:
            self._judge(event.session_id, visit, now)
        return visit, place

    def find(self, session_id: str) -> Visit | None:
        """Return a session's visit, None when it has been let go of."""
        return self._visits.get(session_id)

    def latest(self, most: int, keeps: Callable[[str], bool] | None = None) -> list[tuple[str, Visit]]:
        """Return the sessions that are active or idle and were heard last, by their ids, in no order; ties as well.

        Twice through all, and numbers alone the first time: thousands of pairs that are made only to be thrown away
        have Python look through all that it holds, the window's events among them, for what could be let go of.
        """
        heard = [
            visit.heard_at
            for key, visit in self._visits.items()
            if visit.presence is not GONE and (keeps is None or keeps(key))
        ]
        since = sorted(heard)[-most] if len(heard) > most else 0
        return [
            (key, visit)
            for key, visit in self._visits.items()
            if visit.heard_at >= since and visit.presence is not GONE and (keeps is None or keeps(key))
        ]

    def merge(self, gone_id: str, kept_id: str, now: int) -> None:
        """Make one of two visits; the one that is gone must be there."""
        gone = self._visits.pop(gone_id)
        self._count(gone, gone.presence, -1)
        kept = self._visits.setdefault(kept_id, Visit())
        self._count(kept, kept.presence, -1)
        kept.absorb(gone)
        kept.presence = GONE
        self._judge(kept_id, kept, now)

    def pass_time(self, now: int) -> bool:
        """Let sessions fall idle or go; return whether any did."""
        has_changed = False
        while self._due and self._due[0][0] <= now:
            due, session_id = heappop(self._due)
            visit = self._visits.get(session_id)
            if visit is None or visit.due != due:
                continue
            visit.due = 0
            has_changed |= self._judge(session_id, visit, now)
            self.forget_if_over(session_id, visit)
        return has_changed

    def forget_if_over(self, session_id: str, visit: Visit) -> None:
        """Let go of a session that is gone and has no event in the span."""
        if visit.presence is GONE and not visit.minutes:
            self._visits.pop(session_id, None)

    def mark(self, visit: Visit, *, is_counted: bool) -> None:
        """Say whether a visit is among the span's sessions: one with an event in it."""
        if visit.presence is not GONE:
            self.counted += is_counted - visit.is_counted
        visit.is_counted = is_counted

    def _judge(self, session_id: str, visit: Visit, now: int) -> bool:
        presence, due = visit.look(now, self._idle_after_ms, self._gone_after_ms)
        # An entry that comes too early is judged again then: only an earlier moment needs one of its own.
        if due and (not visit.due or due < visit.due):
            visit.due = due
            heappush(self._due, (due, session_id))
        if presence is visit.presence:
            return False
        self._count(visit, visit.presence, -1)
        self._count(visit, presence, 1)
        visit.presence = presence
        if presence is GONE:
            visit.place = None  # which lives only as long as it counts something
        return True

    def _move(self, visit: Visit, place: PlaceCounts) -> None:
        self._count(visit, visit.presence, -1)
        visit.place = place
        self._count(visit, visit.presence, 1)

    def _count(self, visit: Visit, presence: Presence, n: int) -> None:
        if presence is ACTIVE:
            self.active += n
        elif presence is IDLE:
            self.idle += n
        if visit.is_counted and presence is not GONE:
            self.counted += n
        if visit.place is not None and presence is not GONE:
            visit.place.count_session(n, is_active=presence is ACTIVE)
