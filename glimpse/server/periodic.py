"""What is done again and again, by the loop's own clock.

Tornado's `PeriodicCallback` goes by the machine's: when that is set back by an hour, it stands still for an hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def call_every(period_s: float, work: Callable[[], object]) -> Callable[[], None]:
    """Call `work` on the running loop again and again, first after one period; return what ends it."""
    loop = asyncio.get_running_loop()

    def again() -> None:
        nonlocal timer
        timer = loop.call_later(period_s, again)
        work()

    def end() -> None:
        timer.cancel()

    timer = loop.call_later(period_s, again)
    return end
