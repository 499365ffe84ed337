"""Threads that read: each question on one of them, with a way to read of its own, until it is answered or out of time.

Rule of this module: what nobody waits for any more does not go on running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

import duckdb

from glimpse.errors import QueryTooLarge, QueryTooSlow

T = TypeVar("T")
_LOOK_AGAIN_S = 0.05


class Interruptible(Protocol):
    """What asks, as far as its thread goes."""

    def interrupt(self) -> None:
        """Have what is under way end soon."""
        ...


C = TypeVar("C", bound=Interruptible)  # a cursor, or whatever else one thread asks with


class Readers(Generic[C]):
    """As many threads as there are cursors."""

    def __init__(self, cursors: Sequence[C], time_limit_s: float) -> None:
        self._time_limit_s = time_limit_s
        self._idle: SimpleQueue[C] = SimpleQueue()
        for cursor in cursors:
            self._idle.put(cursor)
        self._threads = ThreadPoolExecutor(len(cursors), thread_name_prefix="glimpse-query")
        self._under_way: dict[Future[Any], _Work[C, Any]] = {}
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is under way."""
        return not self._under_way

    def close(self) -> None:
        """End what is under way, and take no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for running, work in list(self._under_way.items()):
            while not running.done():  # as one is that had no thread yet: `wait` would wait for it for ever
                work.interrupt()  # what has only just begun hears none
                wait([running], timeout=_LOOK_AGAIN_S)
        self._threads.shutdown()

    async def run(self, do: Callable[[C], T]) -> T:
        """Do something with a cursor, on the next thread that is free.

        Raises
        ------
        QueryTooSlow
            When it took, with the waiting, longer than it may.
        QueryTooLarge
            When it needs more memory than there is.
        """
        work = _Work(do, self._idle)
        running = self._threads.submit(work.run)
        self._under_way[running] = work
        answer = asyncio.wrap_future(running)
        answer.add_done_callback(lambda _: self._under_way.pop(running))
        answer.add_done_callback(_heed)
        try:
            async with asyncio.timeout(self._time_limit_s):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise too_slow(self._time_limit_s) from None
        finally:
            if not answer.done():  # out of time, or nobody waits any more
                ending = asyncio.ensure_future(_see_it_end(work, answer))
                self._endings.add(ending)
                ending.add_done_callback(self._endings.discard)


class _Work(Generic[C, T]):
    """One question on one thread, which others may interrupt."""

    def __init__(self, do: Callable[[C], T], idle: SimpleQueue[C]) -> None:
        self._do = do
        self._idle = idle
        self._lock = Lock()  # an interrupt must not reach the cursor's next question
        self._cursor: C | None = None
        self._is_wanted = True

    def run(self) -> T:
        """Do it, with a cursor that is idle: there are as many as threads."""
        cursor = self._idle.get_nowait()
        try:
            with self._lock:
                if not self._is_wanted:
                    raise QueryTooSlow("nobody waits for it any more")
                self._cursor = cursor
            return self._do(cursor)
        except duckdb.InterruptException:
            raise QueryTooSlow("the question was ended before it was answered") from None
        except duckdb.OutOfMemoryException:
            raise QueryTooLarge(
                "the question needs more memory than there is; ask for a shorter span or with a filter"
            ) from None
        finally:
            with self._lock:
                self._cursor = None
            self._idle.put(cursor)

    def interrupt(self) -> None:
        """Have it end soon, or not begin."""
        with self._lock:
            self._is_wanted = False
            if self._cursor:
                self._cursor.interrupt()


def too_slow(time_limit_s: float) -> QueryTooSlow:
    """Return what to raise for a question that is out of time."""
    return QueryTooSlow(f"the question took longer than {time_limit_s:g} s; ask for a shorter span or with a filter")


async def _see_it_end(work: _Work[Any, Any], answer: asyncio.Future[Any]) -> None:
    while not answer.done():  # an interrupt between two statements is heard by neither
        work.interrupt()
        await asyncio.wait([answer], timeout=_LOOK_AGAIN_S)


def _heed(answer: asyncio.Future[Any]) -> None:
    """Look at how it ended, so that asyncio does not call unheard what nobody waited for."""
    if not answer.cancelled():
        answer.exception()
