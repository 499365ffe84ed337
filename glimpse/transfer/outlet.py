"""Gives out what is stored, table by table.

Rule of this module: each table is a question of its own with a bounded answer, so whoever stops reading holds one table
and no thread; only a flow of one moment holds a transaction, for as long as it is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from glimpse.store import Asker, Store
from glimpse.store.local import TIME_LIMIT_S
from glimpse.store.readers import too_slow
from glimpse.transfer.wanted import MINUTE_MS, Place, Wanted, as_json, kept, page_sql, per_minute_sql, put_in_order

T = TypeVar("T")
ROWS_A_TABLE = 8_000
_PAGES_AT_ONCE = 4
_LOOK_AGAIN_S = 0.05
_NONE = np.zeros(0, np.int64)
_UTC = pa.timestamp("ms", "UTC")


@dataclass
class Flow:
    """What was wanted, as it comes: of each thing one table at least, which may be empty.

    Attributes
    ----------
    totals
        How many rows there are of each; of pages (with `limit`) how many at most.
    tables
        Pairs of the number of the thing and a table of its rows, with the columns `PLACE` at its end.
    """

    totals: list[int]
    tables: AsyncIterator[tuple[int, Any]]  # a pyarrow.Table: pyarrow has no types


class Outlet(Protocol):
    """What gives out rows, in this process or from the one that owns the store."""

    def flow(self, wanted: Sequence[Wanted], *, of_one_moment: bool = False) -> AbstractAsyncContextManager[Flow]:
        """Open a flow; it costs nothing more once it is left.

        Raises
        ------
        StoreUnavailable
            When nobody owns the store, or its owner goes while it is read.
        QueryError
            When a filter has a mistake.
        """
        ...


class LocalOutlet:
    """Gives out rows in the process that owns the store: each flow has an asker and a thread.

    Questions for all of something take turns, and may take as long as they do. Those for a page or a session wait for
    none of them, and have the time that questions have.
    """

    def __init__(self, store: Store, rows_a_table: int = ROWS_A_TABLE, page_limit_s: float = TIME_LIMIT_S) -> None:
        self._store = store
        self._rows = rows_a_table
        self._page_limit_s = page_limit_s
        self._turn, self._pages_turn = asyncio.Semaphore(1), asyncio.Semaphore(_PAGES_AT_ONCE)
        self._open: dict[Asker, ThreadPoolExecutor] = {}

    def close(self) -> None:
        """End the flows that are open: their readers are told."""
        open_now, self._open = self._open, {}
        for asker, thread in open_now.items():
            asker.interrupt()
            thread.submit(asker.close)
            thread.shutdown()  # a store can't be closed while one of its cursors works

    @asynccontextmanager
    async def flow(self, wanted: Sequence[Wanted], *, of_one_moment: bool = False) -> AsyncIterator[Flow]:
        """Open a flow."""
        asker = self._store.asker()
        thread = self._open[asker] = ThreadPoolExecutor(max_workers=1, thread_name_prefix="glimpse-outlet")

        is_page = all(one.limit is not None or one.session for one in wanted)

        async def run(work: Callable[[], T]) -> T:
            async with self._in_time(is_page=is_page), self._pages_turn if is_page else self._turn:
                return await asyncio.get_running_loop().run_in_executor(thread, work)

        try:
            if of_one_moment:
                await run(asker.begin)
            plans = [await run(lambda one=one: _Plan.of(asker, self._store, one, self._rows)) for one in wanted]
            yield Flow([plan.total for plan in plans], _tables(run, asker, plans))
        finally:
            if asker in self._open:
                await _closed(asker, thread)
                thread.shutdown(wait=False)
                self._open.pop(asker, None)

    @asynccontextmanager
    async def _in_time(self, *, is_page: bool) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._page_limit_s if is_page else None):
                yield
        except TimeoutError:
            raise too_slow(self._page_limit_s) from None


async def _closed(asker: Asker, thread: ThreadPoolExecutor) -> None:
    closing = asyncio.get_running_loop().run_in_executor(thread, asker.close)
    while not closing.done():  # an interrupt between two statements is heard by neither
        asker.interrupt()
        await asyncio.wait([closing], timeout=_LOOK_AGAIN_S)


async def _tables(
    run: Callable[[Callable[[], Any]], Any], asker: Asker, plans: Sequence[_Plan]
) -> AsyncIterator[tuple[int, Any]]:
    for number, plan in enumerate(plans):
        pages = plan.pages(asker)
        while (table := await run(lambda pages=pages: next(pages, None))) is not None:
            yield number, table


class _Plan:
    """How one thing is given out: in spans of time that hold about as many rows as a table may have."""

    def __init__(self, wanted: Wanted, rows_sql: str, spans: Sequence[tuple[int, int]], total: int, rows: int) -> None:
        self._wanted, self._rows_sql, self._spans, self._rows = wanted, rows_sql, spans, rows
        self.total = total

    @classmethod
    def of(cls, asker: Asker, store: Store, wanted: Wanted, rows: int) -> _Plan:
        sql = asker.compiled(kept(wanted, store.tables))
        if wanted.limit is not None:
            return cls(wanted, sql, [(wanted.since, wanted.until)], wanted.limit, rows)
        found = asker.table(*per_minute_sql(asker.engine, sql, wanted)).combine_chunks()
        # np.asarray would import pandas, which has 30 MB. A year has 525,600 minutes: as tuples, 80 MB.
        minutes, counts = (np.from_dlpack(column.chunk(0)) if len(found) else _NONE for column in found.columns)
        spans = list(_spans(minutes, counts, wanted, rows))
        return cls(wanted, sql, spans[::-1] if wanted.is_newest_first else spans, int(counts.sum()), rows)

    def pages(self, asker: Asker) -> Iterator[Any]:
        """Return the tables: one at least, so that it is known which columns there are."""
        is_first = True
        for table in self._tables(asker):
            if table.num_rows or is_first:
                yield as_json(table) if self._wanted.as_json and "row" not in table.column_names else table
            is_first = False

    def _tables(self, asker: Asker) -> Iterator[Any]:
        after = Place.read(self._wanted.after) if self._wanted.after else None
        for span in self._spans or [(0, 0)]:
            if self._wanted.limit is None:
                # All as it lies, and sorted here, takes half the time, and 15 MB less, than the first of an order.
                table = self._ask(asker, span, after, most := 2 * self._rows, in_order=False)
                if table.num_rows < most:
                    yield put_in_order(table, self._wanted)
                    continue
            yield from self._turns(asker, span, after)

    def _turns(self, asker: Asker, span: tuple[int, int], after: Place | None) -> Iterator[Any]:
        """Return the tables of a span of many rows, or of a page: each goes on where the one before has ended."""
        most = self._rows if self._wanted.limit is None else self._wanted.limit  # a page is one table
        while True:
            table = self._ask(asker, span, after, most, in_order=True)
            yield table
            if self._wanted.limit is not None or table.num_rows < most:
                return
            after = Place.of_row(table, table.num_rows - 1)

    def _ask(self, asker: Asker, span: tuple[int, int], after: Place | None, most: int, *, in_order: bool) -> Any:
        asked = page_sql(asker.engine, self._rows_sql, self._wanted, span, after, most, in_order=in_order)
        return _in_utc(asker.table(*asked))


def _spans(minutes: np.ndarray, counts: np.ndarray, wanted: Wanted, rows: int) -> Iterator[tuple[int, int]]:
    """Return spans of whole minutes, of at most so many rows unless one minute has more."""
    up_to = counts.cumsum()
    begin, first = wanted.since, 0
    while first < len(minutes):
        before = up_to[first - 1] if first else 0
        first = max(first + 1, int(np.searchsorted(up_to, before + rows, "right")))
        end = int(minutes[first]) * MINUTE_MS if first < len(minutes) else wanted.until
        yield begin, end
        begin = end


def _in_utc(table: Any) -> Any:
    fields = [field.with_type(_UTC) if pa.types.is_timestamp(field.type) else field for field in table.schema]
    return table.cast(pa.schema([field.with_nullable(nullable=True) for field in fields]))
