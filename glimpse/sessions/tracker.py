"""Which run of a visitor's activity an event belongs to: runs lie further apart than the timeout.

Rule of this module: only the times of events count. Events that come up to 300 s late, in whatever order, give the same
sessions; delivered again after a crash they do too. What is long over is told by what has come in since, and by a
monotonic clock: no clock that somebody may set, and no backlog that waited, ends a session.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import blake2b
from uuid import UUID, uuid5

from glimpse.events import AdmittedEvent, Event, Merge, Session
from glimpse.sessions.account import ORIGIN, add_up, count_in

LATENESS_MS = 300_000
_USED_IDS = 500_000  # client ids remembered, so that a run after an idle gap gets an id of its own
_FORGET_EVERY_S = 10
_NAMESPACE = UUID("6f2c1f0e-52a0-5c0e-9c51-0a4e3d3b7a10")

Key = tuple[str, str, str]  # project, "client" or "visitor", the client's id or the hash


class SessionTracker:
    """The recent runs of each client id or visitor hash; gives each event its session and counts it in.

    Parameters
    ----------
    timeout_s
        Runs lie further apart than this.
    monotonic_s
        A clock that nobody can set, seconds.
    """

    def __init__(self, timeout_s: int = 300, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._timeout_ms = timeout_s * 1000
        self._monotonic_s = monotonic_s
        self._runs: dict[Key, list[Session]] = {}  # of one visitor the earliest first
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._touched: dict[tuple[str, str], Session] = {}
        self._merges: list[Merge] = []
        self._heard_to = 0  # the latest receipt of what was taken so far: what waits in the buffer is younger
        self._forgot_at = float("-inf")

    def __len__(self) -> int:
        return sum(map(len, self._runs.values()))

    def restore(self, sessions: Iterable[Session], heard_to: int) -> None:
        """Take up sessions that an earlier process left open, and remember the ids that are taken.

        Parameters
        ----------
        sessions
            Of the last day.
        heard_to
            When the last event that is in them was received, epoch ms; what comes next is younger.
        """
        self._heard_to = max(self._heard_to, heard_to)
        horizon = heard_to - self._timeout_ms - LATENESS_MS
        for session in sorted(sessions, key=lambda s: s.last_seen_at):
            self._remember(session.project, session.id)
            if session.last_seen_at < horizon:
                continue
            # Nobody knows any more when it was heard; a client's clock may have been ahead.
            session.heard_at = min(session.last_seen_at, heard_to)
            session.taken_at = self._monotonic_s()
            # When what is known was told can't be known any more: at the beginning, as nearly always.
            session.placed_at = session.started_at if session.country or session.lat is not None else None
            session.device_at = session.started_at if session.browser or session.os or session.device else None
            if key := _key_of(session):
                self._add_run(key, session)

    def assign(self, admitted: AdmittedEvent, event: Event) -> Session:
        """Give the event its session's id, and the session what the event tells."""
        client = admitted.client_session
        key = (admitted.project, "client", client) if client else self._key_of_visitor(admitted)
        session = self._find(self._runs.get(key), event) or self._begin(key, event)
        event.session_id = session.id
        session.taken_at = self._monotonic_s()
        if event.received_at > self._heard_to:
            self._heard_to = event.received_at
        count_in(session, event)
        self._touched[session.project, session.id] = session
        return session

    def take_touched(self) -> dict[tuple[str, str], Session]:
        """Return the sessions that changed since the last call, by project and id."""
        touched, self._touched = self._touched, {}
        return touched

    def take_merges(self) -> list[Merge]:
        """Return which sessions turned out to be one since the last call, in the order in which that was found."""
        merges, self._merges = self._merges, []
        return merges

    def forget_ended(self) -> None:
        """Let go of sessions that no event can join any more. Looks through all, so it does so only now and then."""
        now = self._monotonic_s()
        if now - self._forgot_at < _FORGET_EVERY_S:
            return
        self._forgot_at = now
        over_ms = self._timeout_ms + LATENESS_MS
        heard, taken = self._heard_to - over_ms, now - over_ms / 1000
        # Edges' clocks may differ, so that a session seems long over while it goes on: then it has just been taken.
        kept = {
            key: [s for s in runs if s.heard_at >= heard or s.taken_at >= taken] for key, runs in self._runs.items()
        }
        self._runs = {key: runs for key, runs in kept.items() if runs}

    # -- which run -------------------------------------------------------------------------------------------------

    def _find(self, runs: list[Session] | None, event: Event) -> Session | None:
        """Return the run that an event belongs to; one that lies between two makes one of them."""
        if not runs:
            return None
        last = runs[-1]
        if last.started_at <= event.time <= last.last_seen_at + self._timeout_ms:  # as nearly always
            return last
        near = [run for run in runs if self._is_near(run, event.time)]
        if len(near) < 2:
            return near[0] if near else None
        earlier, later = near
        if event.received_at - event.time > LATENESS_MS:  # what is long over stays as it was told
            return earlier if event.time - earlier.last_seen_at <= later.started_at - event.time else later
        runs.remove(later)
        self._merge(earlier, later)
        return earlier

    def _is_near(self, run: Session, time: int) -> bool:
        return run.started_at - self._timeout_ms <= time <= run.last_seen_at + self._timeout_ms

    def _merge(self, kept: Session, gone: Session) -> None:
        add_up(kept, gone)
        self._touched.pop((gone.project, gone.id), None)
        self._merges.append(Merge(gone.project, gone.id, kept.id, gone.started_at))

    def _key_of_visitor(self, admitted: AdmittedEvent) -> Key:
        key = (admitted.project, "visitor", admitted.visitor)
        if admitted.visitor_before:  # the salt has just changed: a session may be open under yesterday's hash
            before = (admitted.project, "visitor", admitted.visitor_before)
            if key not in self._runs and before in self._runs:
                self._runs[key] = self._runs.pop(before)
                for session in self._runs[key]:
                    session.visitor = admitted.visitor
        return key

    def _begin(self, key: Key, event: Event) -> Session:
        project, kind, name = key
        session = Session(
            project=project,
            id=self._new_id(key, event),
            started_at=event.time,
            last_seen_at=event.time,
            started_by=event.id,
            client_session=name if kind == "client" else None,
            visitor=name if kind == "visitor" else None,
            **{fact: getattr(event, fact) for fact in ORIGIN},
        )
        self._add_run(key, session)
        self._remember(project, session.id)
        return session

    def _add_run(self, key: Key, session: Session) -> None:
        runs = self._runs.setdefault(key, [])
        runs.append(session)
        runs.sort(key=lambda run: run.started_at)

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


def _key_of(session: Session) -> Key | None:
    if session.client_session:
        return (session.project, "client", session.client_session)
    return (session.project, "visitor", session.visitor) if session.visitor else None


def _as_uuid(text: str) -> str | None:
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None
