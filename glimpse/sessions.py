"""Sessions: which run of activity an event belongs to, and what is known of each run.

Rule of this module: only event times count, so the same events in the same order always give the same sessions,
also when they are delivered again after a crash.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from uuid import UUID, uuid5

from glimpse.events import PAGE_LEAVE, PAGE_VIEW, PASSIVE_NAMES, SIGNS_OF_LIFE, AdmittedEvent, Event, Session

LATENESS_MS = 300_000
_USED_IDS = 500_000  # client ids remembered, so that a run after an idle gap gets an id of its own
_NAMESPACE = UUID("6f2c1f0e-52a0-5c0e-9c51-0a4e3d3b7a10")
_FACTS = ("country", "region", "city", "time_zone", "lat", "lon", "browser", "os", "device")
_ORIGIN = ("referrer", "source", "channel", "utm_source", "utm_medium", "utm_campaign")

Key = tuple[str, str, str]  # project, "client" or "visitor", the client's id or the hash


class SessionTracker:
    """Open sessions by client id or visitor hash; gives each event its session and counts it in."""

    def __init__(self, timeout_s: int = 300) -> None:
        self._timeout_ms = timeout_s * 1000
        self._open: dict[Key, Session] = {}
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._touched: dict[tuple[str, str], Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def restore(self, sessions: Iterable[Session]) -> None:
        """Take up sessions that an earlier process left open, and remember the ids that are taken."""
        for session in sorted(sessions, key=lambda s: s.last_seen_at):
            self._remember(session.project, session.id)
            if key := _key_of(session):
                self._open[key] = session

    def assign(self, admitted: AdmittedEvent, event: Event) -> Session:
        """Give the event its session's id, and the session what the event tells."""
        key = self._key(admitted)
        session = self._open.get(key)
        if session is None or event.time > session.last_seen_at + self._timeout_ms:
            session = self._begin(key, event)
        event.session_id = session.id
        _count_in(session, event)
        self._touched[session.project, session.id] = session
        return session

    def take_touched(self) -> list[Session]:
        """Return the sessions that changed since the last call."""
        touched, self._touched = list(self._touched.values()), {}
        return touched

    def forget_ended(self, now_ms: int) -> None:
        """Let go of sessions that no event can join any more."""
        horizon = now_ms - self._timeout_ms - LATENESS_MS
        self._open = {key: s for key, s in self._open.items() if s.last_seen_at >= horizon}

    def active(self, now_ms: int) -> dict[str, int]:
        """Return how many sessions of each project are open."""
        counts: dict[str, int] = {}
        for session in self._open.values():
            if session.last_seen_at >= now_ms - self._timeout_ms:
                counts[session.project] = counts.get(session.project, 0) + 1
        return counts

    def _key(self, admitted: AdmittedEvent) -> Key:
        if admitted.client_session:
            return (admitted.project, "client", admitted.client_session)
        key = (admitted.project, "visitor", admitted.visitor)
        if admitted.visitor_before:  # the salt has just changed: a session may be open under yesterday's hash
            before = (admitted.project, "visitor", admitted.visitor_before)
            if key not in self._open and before in self._open:
                session = self._open.pop(before)
                session.visitor = admitted.visitor
                self._open[key] = session
        return key

    def _begin(self, key: Key, event: Event) -> Session:
        project, kind, name = key
        session = Session(
            project=project,
            id=self._new_id(key, event),
            started_at=event.time,
            last_seen_at=event.time,
            client_session=name if kind == "client" else None,
            visitor=name if kind == "visitor" else None,
            **{fact: getattr(event, fact) for fact in _ORIGIN},
        )
        self._open[key] = session
        self._remember(project, session.id)
        return session

    def _new_id(self, key: Key, event: Event) -> str:
        project, kind, name = key
        if kind == "client":
            first = _as_uuid(name) or str(uuid5(_NAMESPACE, f"{project}\n{name}"))
            if (project, first) not in self._used:
                return first
        return uuid7_of(event.time, f"{project}\n{event.id}")

    def _remember(self, project: str, session_id: str) -> None:
        self._used[project, session_id] = None
        self._used.move_to_end((project, session_id))
        if len(self._used) > _USED_IDS:
            self._used.popitem(last=False)


def uuid7_of(time_ms: int, seed: str) -> str:
    """Return a UUIDv7 (RFC 9562) whose random bits come from a seed: an event delivered twice opens one session."""
    bits = int.from_bytes(blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=10).digest(), "big")
    rand_a, rand_b = (bits >> 62) & 0xFFF, bits & ((1 << 62) - 1)
    return str(UUID(int=(max(0, time_ms) & (1 << 48) - 1) << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b))


def _count_in(session: Session, event: Event) -> None:
    session.started_at = min(session.started_at, max(event.time, session.started_at - LATENESS_MS))
    session.last_seen_at = max(session.last_seen_at, event.time)
    if session.country is None and session.lat is None:
        for fact in _FACTS:
            if getattr(session, fact) is None:
                setattr(session, fact, getattr(event, fact))
    if event.name in SIGNS_OF_LIFE:
        return
    session.events += 1
    session.interactions += event.name not in PASSIVE_NAMES
    if event.name == PAGE_VIEW:
        _count_page(session, event)
    elif event.name == PAGE_LEAVE:
        session.engaged_ms += event.engaged_ms


def _count_page(session: Session, event: Event) -> None:
    session.pages += 1
    if session.entry_at is None or event.time < session.entry_at:
        session.entry_page, session.entry_at = event.page, event.time
        for fact in _ORIGIN:
            if session.pages == 1 and session.source is None and session.channel == "direct":
                setattr(session, fact, getattr(event, fact))
    if session.exit_at is None or event.time >= session.exit_at:
        session.exit_page, session.exit_at = event.page, event.time


def _key_of(session: Session) -> Key | None:
    if session.client_session:
        return (session.project, "client", session.client_session)
    return (session.project, "visitor", session.visitor) if session.visitor else None


def _as_uuid(text: str) -> str | None:
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None
