"""What happens to the store beside the drain: rows from elsewhere come in.

Rule of this module: each call is a small bite in one commit, made in the thread that commits the drain's lots too, so
that two writers never meet. The ledger says what each did: stored + imported - expired is what is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from glimpse.errors import StoreUnavailable
from glimpse.events import Event, ImportedTotal, Session
from glimpse.store.duckdb import UNSTORABLE
from glimpse.store.store import IMPORTED, Lot, Store

Account = Callable[[Sequence[Event]], list[Session]]


class Taken(NamedTuple):
    """What became of rows that were brought: new ones, those that were there, and the place and fault of others."""

    new: int = 0
    known: int = 0
    refused: tuple[tuple[int, str], ...] = ()


def take_in(store: Store, rows: Sequence[Event], account: Account) -> Taken:
    """Store events that are not there yet, by project and id, and make their sessions anew.

    Parameters
    ----------
    store
        Where to.
    rows
        Events with their session's id, some thousand at most.
    account
        Makes sessions of all of their events.
    """
    known = store.known_ids([(row.project, row.id) for row in rows], 0)
    fresh: dict[tuple[str, str], Event] = {}
    for row in rows:
        if (row.project, row.id) not in known:
            fresh.setdefault((row.project, row.id), row)
    taken = list(fresh.values())
    try:
        _put(store, taken, account)
        refused: tuple[tuple[int, str], ...] = ()
    except StoreUnavailable:
        raise
    except UNSTORABLE:
        bad = {(row.project, row.id): reason for row, reason in store.refused(taken)}
        if not bad:
            raise
        taken = [row for row in taken if (row.project, row.id) not in bad]
        _put(store, taken, account)
        refused = tuple((at, bad[row.project, row.id]) for at, row in enumerate(rows) if (row.project, row.id) in bad)
    return Taken(len(taken), len(rows) - len(taken) - len(refused), refused)


def _put(store: Store, rows: Sequence[Event], account: Account) -> None:
    if not rows:
        return
    touched = sorted({(row.project, row.session_id) for row in rows})
    sessions = account([*store.events_of(touched), *rows])
    clients = {(one.project, one.id): one.client_session for one in store.sessions_of(touched)}
    for session in sessions:
        session.client_session = clients.get((session.project, session.id))
    store.commit(Lot(list(rows), sessions, counts=Counter((row.project, IMPORTED) for row in rows)))


def take_in_sessions(store: Store, sessions: Sequence[Session]) -> Taken:
    """Store sessions that are not there, or of which less is known there."""
    stored = {(one.project, one.id): one for one in store.sessions_of([(s.project, s.id) for s in sessions])}
    fresh = {
        (session.project, session.id): session
        for session in sessions
        if _knows_more(session, stored.get((session.project, session.id)))
    }
    store.commit(Lot(sessions=list(fresh.values())))
    return Taken(len(fresh), len(sessions) - len(fresh))


def _knows_more(session: Session, stored: Session | None) -> bool:
    if stored is None:
        return True
    mine, theirs = (session.last_seen_at, session.events), (stored.last_seen_at, stored.events)
    return mine >= theirs and session != stored


def take_in_totals(store: Store, totals: Sequence[ImportedTotal]) -> Taken:
    """Store imported totals; what was counted again takes the place of what was there."""
    fresh = {(total.project, total.id): total for total in totals}
    there = store.totals_known(list(fresh))
    store.commit(Lot(totals=list(fresh.values())))
    return Taken(len(fresh) - there, len(totals) - len(fresh) + there)
