"""Takes rows in from elsewhere, exactly once: what is there already, by project and id, stays as it is.

Rule of this module: the rows of a bite, their sessions and their place in the ledger are one transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from glimpse.events import Event, ImportedTotal, Session
from glimpse.sessions import account_of
from glimpse.store import Store
from glimpse.store.upkeep import Taken, take_in, take_in_sessions, take_in_totals

ROWS_A_BITE = 5_000

Call = Callable[..., Awaitable[Any]]  # does something in the thread that writes


class Inlet(Protocol):
    """What takes rows, in this process or in the one that owns the store. At most `ROWS_A_BITE` at once."""

    async def take_events(self, rows: Sequence[Event]) -> Taken:
        """Store events that are not there yet.

        Raises
        ------
        StoreUnavailable
            When nobody owns the store, or it can't write now: none of these rows is stored.
        """
        ...

    async def take_sessions(self, rows: Sequence[Session]) -> Taken:
        """Store sessions of which more is known than is there; raises likewise."""
        ...

    async def take_totals(self, rows: Sequence[ImportedTotal]) -> Taken:
        """Store another tracker's totals, in place of those that are there; raises likewise."""
        ...


class LocalInlet:
    """Takes rows in the process that owns the store.

    Parameters
    ----------
    expect
        Told of events before they are stored, for a drain that knows by itself which have come before.
    """

    def __init__(self, store: Store, call: Call, expect: Callable[[Sequence[Event]], None] = lambda _: None) -> None:
        self._store = store
        self._call = call
        self._expect = expect

    async def take_events(self, rows: Sequence[Event]) -> Taken:
        """Store events that are not there yet."""
        self._expect(rows)
        return await self._call(take_in, self._store, rows, account_of)

    async def take_sessions(self, rows: Sequence[Session]) -> Taken:
        """Store sessions of which more is known than is there."""
        return await self._call(take_in_sessions, self._store, rows)

    async def take_totals(self, rows: Sequence[ImportedTotal]) -> Taken:
        """Store another tracker's totals."""
        return await self._call(take_in_totals, self._store, rows)
