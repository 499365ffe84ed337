"""What is known of one session: each event is counted in, and two sessions that turn out to be one are added up.

Rule of this module: the order in which events come in changes nothing. What can stand only once is taken from the
earliest event that tells it, by the time of the event; of two of one millisecond, from that with the smaller id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from glimpse.events import PAGE_LEAVE, PAGE_VIEW, PASSIVE_NAMES, SIGNS_OF_LIFE, Event, Session

_PLACE = ("country", "region", "city", "time_zone", "lat", "lon")
_DEVICE = ("browser", "os", "device")
ORIGIN = ("referrer", "source", "channel", "utm_source", "utm_medium", "utm_campaign")
_COUNTS = ("pages", "events", "interactions", "engaged_ms")


def count_in(session: Session, event: Event) -> None:
    """Add one event to what is known."""
    time = event.time
    if time <= session.started_at and (time, event.id) < (session.started_at, session.started_by):
        if session.entry_at is None:
            _copy(ORIGIN, event, session)
        session.started_at, session.started_by = time, event.id
    if time > session.last_seen_at:
        session.last_seen_at = time
    if event.received_at > session.heard_at:
        session.heard_at = event.received_at
    placed_at, device_at = session.placed_at, session.device_at
    if placed_at is None or device_at is None or time <= placed_at or time <= device_at:
        _tell_place_and_device(session, event)
    name = event.name
    if name in SIGNS_OF_LIFE:
        return
    session.events += 1
    session.interactions += name not in PASSIVE_NAMES
    if name == PAGE_VIEW:
        _count_page(session, event)
    elif name == PAGE_LEAVE:
        session.engaged_ms += event.engaged_ms


def add_up(kept: Session, gone: Session) -> None:
    """Put into one session all that is known of another of the same visitor."""
    for name in _COUNTS:
        setattr(kept, name, getattr(kept, name) + getattr(gone, name))
    if _has_earlier_origin(gone, kept):
        _copy(ORIGIN, gone, kept)
    kept.started_at, kept.started_by = min((one.started_at, one.started_by) for one in (kept, gone))
    kept.last_seen_at = max(kept.last_seen_at, gone.last_seen_at)
    kept.heard_at = max(kept.heard_at, gone.heard_at)
    _take_earlier(_PLACE, "placed", gone, kept)
    _take_earlier(_DEVICE, "device", gone, kept)
    if gone.entry_at is not None:
        _note_entry(kept, gone.entry_at, gone.entry_page, gone.entry_by)
    if gone.exit_at is not None:
        _note_exit(kept, gone.exit_at, gone.exit_page)


def _tell_place_and_device(session: Session, event: Event) -> None:
    if event.country is not None or event.lat is not None:
        _take_told(_PLACE, "placed", event, session)
    if event.browser or event.os or event.device:
        _take_told(_DEVICE, "device", event, session)


def _take_told(names: tuple[str, ...], what: str, event: Event, session: Session) -> None:
    at = getattr(session, f"{what}_at")
    if at is None or (event.time, event.id) < (at, getattr(session, f"{what}_by")):
        _copy(names, event, session)
        setattr(session, f"{what}_at", event.time)
        setattr(session, f"{what}_by", event.id)


def _count_page(session: Session, event: Event) -> None:
    session.pages += 1
    if _note_entry(session, event.time, event.page, event.id):
        _copy(ORIGIN, event, session)  # where the visitor came from is what the first page view says
    _note_exit(session, event.time, event.page)


def _note_entry(session: Session, at: int, page: str | None, by: str) -> bool:
    if session.entry_at is not None and _entry_of(session) <= (at, page or "", by):
        return False
    session.entry_at, session.entry_page, session.entry_by = at, page, by
    return True


def _entry_of(session: Session) -> tuple[int, str, str]:
    return session.entry_at or 0, session.entry_page or "", session.entry_by


def _note_exit(session: Session, at: int, page: str | None) -> None:
    if session.exit_at is None or (session.exit_at, session.exit_page or "") < (at, page or ""):
        session.exit_at, session.exit_page = at, page


def _has_earlier_origin(one: Session, other: Session) -> bool:
    if one.entry_at is None and other.entry_at is None:
        return (one.started_at, one.started_by) < (other.started_at, other.started_by)
    if one.entry_at is None or other.entry_at is None:
        return one.entry_at is not None
    return _entry_of(one) < _entry_of(other)


def _take_earlier(names: tuple[str, ...], what: str, gone: Session, kept: Session) -> None:
    told = (f"{what}_at", f"{what}_by")
    (theirs, their_id), (ours, our_id) = ([getattr(one, name) for name in told] for one in (gone, kept))
    if theirs is not None and (ours is None or (theirs, their_id) < (ours, our_id)):
        _copy((*names, *told), gone, kept)


def _copy(names: tuple[str, ...], source: Any, target: Session) -> None:
    for name in names:
        setattr(target, name, getattr(source, name))


def account_of(events: Iterable[Event]) -> list[Session]:
    """Return the sessions of events that have their session's id, each made of all of its events."""
    sessions: dict[tuple[str, str], Session] = {}
    for event in events:
        pair = event.project, event.session_id
        session = sessions.get(pair)
        if session is None:
            session = sessions[pair] = Session(
                project=event.project,
                id=event.session_id,
                started_at=event.time,
                last_seen_at=event.time,
                started_by=event.id,
            )
            _copy(ORIGIN, event, session)
        count_in(session, event)
    return list(sessions.values())
