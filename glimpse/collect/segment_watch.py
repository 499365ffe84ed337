"""Sees that a saved filter still means what the readers of a stream were told through it.

Rule of this module: a reader is never moved to another filter unasked. It is told that its segment changed, and may
come back at once, from where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from glimpse.collect.stream import Dropped, Reader
from glimpse.errors import BufferUnavailable, QueryError, QueryTooSlow, StoreError
from glimpse.filters import Filter

if TYPE_CHECKING:  # an edge alone has none
    from glimpse.store import Queries

LOOK_EVERY_S = 5.0


class SegmentChanged(Dropped):
    """A segment was changed or removed while it was read through."""

    close_code = 1012  # of RFC 6455's registry: what asked may come back


class Named(NamedTuple):
    """What a reader asked to be told through."""

    project: str
    where: Filter | None
    segment: str


class SegmentWatch:
    """Asks the store every few seconds, once for all readers of a segment, and for as long as there are any."""

    def __init__(self, queries: Callable[[], Queries]) -> None:
        self._queries = queries
        self._readers: dict[Named, dict[Reader, Filter | None]] = {}
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watched(self, named: Named | None, kept: Filter | None, reader: Reader) -> Iterator[None]:
        """Meanwhile dismiss a reader once what it asked for is another filter than the one that it is told through."""
        if named is None:
            yield
            return
        self._readers.setdefault(named, {})[reader] = kept
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look_for_ever())
        try:
            yield
        finally:
            self._forget(named, reader)

    def _forget(self, named: Named, reader: Reader) -> None:
        self._readers[named].pop(reader)
        if not self._readers[named]:
            del self._readers[named]
        if not self._readers and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for named in list(self._readers):
                await self._look(named)

    async def _look(self, named: Named) -> None:
        try:
            means = await self._queries().filter_for(*named)
            became = "was changed"
        except (StoreError, BufferUnavailable, QueryTooSlow):
            return  # it is as it was, as far as anybody knows
        except QueryError:
            means, became = None, "was removed"
        for reader, kept in list(self._readers.get(named, {}).items()):
            if means != kept or became == "was removed":
                reader.leave(SegmentChanged(f"the segment {named.segment!r} {became}; ask again, with last_id="))
