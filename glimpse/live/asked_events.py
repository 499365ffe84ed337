"""What a filter that asks about sessions has to judge again when more is known of one: every event held of it."""

from __future__ import annotations

from collections.abc import Callable

from glimpse.events import Event
from glimpse.live.room import Room

Pair = tuple[str, str]  # a project, and a session's id in it


class AskedEvents:
    """Events by their session, those too that the filter does not keep."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._events: dict[Pair, dict[str, Event]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, event: Event) -> None:
        """Hold an event."""
        theirs = self._events.setdefault((event.project, event.session_id), {})
        self._enter(event.id not in theirs)
        theirs[event.id] = event

    def of(self, pair: Pair) -> list[Event]:
        """Return a session's events."""
        return list(self._events.get(pair, {}).values())

    def merge(self, gone: Pair, kept: Pair) -> list[Event]:
        """Make a session's events those of another; return all of that one's, or none if nothing changed."""
        moved = self._events.pop(gone, None)
        if not moved:
            return []
        theirs = self._events.setdefault(kept, {})
        self._enter(-len(moved.keys() & theirs.keys()))
        theirs.update(moved)
        return list(theirs.values())

    def forget_sessions(self, is_over: Callable[[Pair], bool]) -> None:
        """Let go of the events of sessions that are over."""
        for pair in [pair for pair in self._events if is_over(pair)]:
            self._enter(-len(self._events.pop(pair)))

    def forget_before(self, time: int) -> None:
        """Let go of events from before a time."""
        for pair, theirs in list(self._events.items()):
            old = [event_id for event_id, event in theirs.items() if min(event.time, event.received_at) < time]
            for event_id in old:
                del theirs[event_id]
            self._enter(-len(old))
            if not theirs:
                del self._events[pair]

    def close(self) -> None:
        """Give back all the room."""
        self._enter(-self._count)
        self._events = {}

    def _enter(self, rows: int) -> None:
        self._count += rows
        self._room.taken += rows
