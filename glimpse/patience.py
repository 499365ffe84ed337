"""A time limit that a loop which stood still does not use up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
