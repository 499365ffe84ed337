"""How long work goes on: a time limit that a loop which stood still does not use up, and no longer than who waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")

TICK_S = 0.02


@asynccontextmanager
async def answer_within(limit_s: float) -> AsyncIterator[None]:
    """Raise `TimeoutError` after a time in which the loop ran.

    While something else holds the loop (a page being built), an answer may lie in the socket, unread: by the wall clock
    its time is over, and the request would be refused although it was written. So the limit is counted in ticks, of
    which a loop that stood still has missed all but one.
    """
    loop = asyncio.get_running_loop()
    left = max(1, round(limit_s / TICK_S))

    def tick() -> None:
        nonlocal left, timer
        left -= 1
        if left > 0:
            timer = loop.call_later(TICK_S, tick)
        else:
            scope.reschedule(loop.time())

    async with asyncio.timeout(None) as scope:
        timer = loop.call_later(TICK_S, tick)
        try:
            yield
        finally:
            timer.cancel()


async def unless_gone(reader: asyncio.StreamReader, work: Coroutine[Any, Any, T]) -> T:
    """Do something for the other end of a connection, which says nothing meanwhile; it is ended when that end leaves.

    Raises
    ------
    ConnectionResetError
        When it left before the work was done.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ConnectionResetError("the other end has left")
        return working.result()
    finally:
        for one in (working, leaving):
            one.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
