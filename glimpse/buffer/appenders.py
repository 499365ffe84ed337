"""One appender for each shard: a request is confirmed when each shard that it brings events for has confirmed them.

Rule of this module: what one shard can't take fails only the requests that bring events for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from glimpse.buffer.appender import Appender, Done
from glimpse.buffer.records import Receipt


class Appenders:
    """Takes receipts as an `Appender` does, and gives each shard its part of them."""

    def __init__(self, appenders: Sequence[Appender]) -> None:
        self._appenders = appenders
        self._parted: dict[Done, Done] = {}  # whose receipt went to several shards, and what those tell

    @property
    def problem(self) -> str | None:
        """Why a shard could not be written to the last time, or None."""
        return next((appender.problem for appender in self._appenders if appender.problem), None)

    @property
    def is_written_to(self) -> bool:
        """Whether requests have brought events within the last second."""
        return any(appender.is_written_to for appender in self._appenders)

    def append_soon(self, receipt: Receipt, done: Done) -> None:
        """Write a receipt; `done` is called once, when all of its shards have decided."""
        parts = self._parts_of(receipt)
        if len(parts) == 1:
            ((shard, part),) = parts.items()
            self._appenders[shard].append_soon(part, done)
            return
        told: list[str | None] = []
        tell = self._parted[done] = partial(self._tell, done, told, len(parts))
        for shard, part in parts.items():
            self._appenders[shard].append_soon(part, tell)

    def take_back(self, done: Done) -> None:
        """Forget what was not sent yet of a receipt that nobody waits for any more."""
        told = self._parted.pop(done, done)
        for appender in self._appenders:
            appender.take_back(told)

    async def confirm(self) -> None:
        """Return when what is under way now is decided, for each shard."""
        for appender in self._appenders:
            await appender.confirm()

    async def settle(self) -> None:
        """Return when nothing waits any more."""
        for appender in self._appenders:
            await appender.settle()

    def close(self) -> None:
        """Drop the connections; what still waits is told."""
        for appender in self._appenders:
            appender.close()

    def _tell(self, done: Done, told: list[str | None], parts: int, problem: str | None) -> None:
        told.append(problem)
        if len(told) == parts:
            self._parted.pop(done, None)
            done(next((problem for problem in told if problem), None))

    def _parts_of(self, receipt: Receipt) -> dict[int, Receipt]:
        if not (receipt.admitted or receipt.rejected or receipt.dropped):  # it asks how things are, of all of them
            return dict.fromkeys(range(len(self._appenders)), receipt)
        parts: dict[int, Receipt] = {}
        for event in receipt.admitted:
            parts.setdefault(event.shard % len(self._appenders), Receipt([])).admitted.append(event)
        first = next(iter(parts.values())) if parts else parts.setdefault(0, Receipt([]))
        first.rejected, first.dropped = receipt.rejected, receipt.dropped
        return parts
