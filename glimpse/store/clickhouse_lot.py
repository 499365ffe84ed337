"""What ClickHouse is told of one commit: all of it in one row first, so that it can be written to its end by anybody.

Rule of this module: a visitor's hash is in memory and Redis only, so it is not in a row either.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from glimpse.events import Event, ImportedTotal, Merge, Session
from glimpse.store.store import Lot


class Expiry(msgspec.Struct, frozen=True):
    """Whose events go, and from before when."""

    project: str
    before_ms: int


class WrittenLot(msgspec.Struct):
    """A lot as it is written ahead. `account` is what its writer has done with events so far, with this lot."""

    writer: str
    name: str
    version: int  # of its rows; merges take those that follow
    account: list[tuple[str, str, int]]  # project, outcome, events
    rows: list[Event] = []
    sessions: list[Session] = []
    merges: list[Merge] = []
    totals: list[ImportedTotal] = []
    positions: list[tuple[int, str]] = []
    expiry: Expiry | None = None

    @classmethod
    def of(cls, lot: Lot, writer: str, name: str, version: int, account: Mapping[tuple[str, str], int]) -> WrittenLot:
        """Return a lot as it is written ahead."""
        return cls(
            writer,
            name,
            version,
            [(project, outcome, events) for (project, outcome), events in sorted(account.items())],
            lot.rows,
            [msgspec.structs.replace(session, visitor=None) for session in lot.sessions],
            lot.merges,
            lot.totals,
            sorted(lot.positions.items()),
        )

    @classmethod
    def read(cls, payload: str) -> WrittenLot:
        """Return what was written ahead."""
        return msgspec.json.decode(payload, type=cls)

    @property
    def payload(self) -> str:
        """The whole of it as text."""
        return msgspec.json.encode(self).decode()


def name_of(lot: Lot, number: int, writer: str) -> str:
    """Return what a lot is known by: the last entry of each shard, else a number of its writer's."""
    if lot.positions:
        return ",".join(f"{shard}:{entry}" for shard, entry in sorted(lot.positions.items()))
    return f"{writer}:{number}"
