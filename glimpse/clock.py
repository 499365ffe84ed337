"""The time that events are stamped with and that presence and sessions are told by.

Rule of this module: a process has one clock, `steady_now_ms`, and it never goes back. When somebody sets the machine's
clock, this one goes on as if nothing had happened, and takes up the difference at a rate of 1 in 20: an hour in 20
hours. So no session ends early, nobody stays who has gone, and a gap between two events is what it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger("glimpse.clock")

LOOK_EVERY_MS = 100
TAKES_UP = 1 / 20
# Set forward by more than this, it was no slip: the machine stood still (a virtual one, saved and woken).
MOST_HELD_MS = 2 * 3_600_000
_WORTH_TELLING_MS = 1_000
# A machine that sleeps is no clock that was set: this one goes on meanwhile, where the system has such a clock.
_GOES_ON = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def machine_ms() -> int:
    """Return what the machine's clock says, epoch milliseconds; anybody may set it."""
    return time.time_ns() // 1_000_000


def _uptime_ms() -> int:
    return time.clock_gettime_ns(_GOES_ON) // 1_000_000


class SteadyClock:
    """Epoch milliseconds that go on evenly.

    Parameters
    ----------
    machine
        What the machine says, epoch milliseconds.
    uptime
        Milliseconds since whenever, of a clock that nobody can set.
    """

    def __init__(self, machine: Callable[[], int] = machine_ms, uptime: Callable[[], int] = _uptime_ms) -> None:
        self._machine = machine
        self._uptime = uptime
        self._looked_at = uptime()
        self._ahead = machine() - self._looked_at  # what to add to the uptime
        self._last = 0
        self._was_off = 0

    def __call__(self) -> int:
        """Return the time, epoch milliseconds; never less than before."""
        uptime = self._uptime()
        if uptime - self._looked_at >= LOOK_EVERY_MS:
            self._look(uptime)
        self._last = max(self._last, uptime + self._ahead)
        return self._last

    @property
    def off_ms(self) -> int:
        """By how much the machine's clock is ahead of this one."""
        return self._machine() - self._uptime() - self._ahead

    def _look(self, uptime: int) -> None:
        off = self.off_ms
        self._tell(off)
        if off > MOST_HELD_MS:
            self._ahead += off
        else:
            most = int((uptime - self._looked_at) * TAKES_UP)
            self._ahead += max(-most, min(most, off))
        self._looked_at = uptime
        self._was_off = self.off_ms

    def _tell(self, off: int) -> None:
        by_ms = off - self._was_off
        if abs(by_ms) < _WORTH_TELLING_MS:
            return
        way = "forward" if by_ms > 0 else "back"
        log.warning(
            "the machine's clock was set %s by %d s; the difference is taken up slowly, so that no session ends early"
            " (at once by a restart of all of Glimpse's processes)",
            way,
            round(abs(by_ms) / 1000),
        )


steady_now_ms = SteadyClock()
