"""How a process comes to its tokens: one question to Redis at a time, for all that are short of them.

Rule of this module: nobody waits longer than 40 ms. Redis may take longer; what went through meanwhile is paid later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from glimpse.collect.limits.bucket import Bucket
from glimpse.collect.limits.shared import Lender, Unanswered
from glimpse.collect.limits.taking import TooMany, Waiting, let_through, short_of, spend, too_many

log = logging.getLogger("glimpse.collect")

WAIT_TICK_S = 0.02
WAIT_TICKS = 2  # with the write that follows, an answer has left within 250 ms
TRY_AGAIN_S = 1.0  # while Redis is away
LOG_EVERY_S = 10.0


class Leases:
    """Leases under way, and those who wait for them."""

    def __init__(self, lender: Lender, clock: Callable[[], float]) -> None:
        self._lender = lender
        self._clock = clock
        self._asking: list[Bucket] = []
        self._waiting: list[Waiting] = []  # for the next question
        self._asked_for: list[Waiting] = []  # for the answer to the one under way
        self._flight: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._try_at = 0.0
        self._log_at = 0.0
        self._is_told = False  # that Redis is away
        self.problem: str | None = None
        self.taken = 0
        self.let_through = 0  # events that came in unmetered, because Redis gave no tokens in time

    def ahead(self, bucket: Bucket, now: float) -> None:
        """Ask for a bucket that nobody waits for yet; while Redis is away, once a second."""
        if not bucket.may_ask(now) or (self.problem is not None and now < self._try_at):
            return
        bucket.is_asked = True
        self._asking.append(bucket)
        self._fly()

    def wait(self, waiting: Waiting) -> None:
        """Ask for all that a request is short of, together with all other requests of this turn of the loop."""
        self._waiting.append(waiting)
        self._fly()

    async def close(self) -> None:
        """Let in those who wait."""
        if self._flight and not self._flight.done():
            self._flight.cancel()
            await asyncio.wait([self._flight])
        self._let_all_through()
        await self._lender.close()

    async def idle(self) -> None:
        """Return when nothing is under way."""
        if self._flight:
            await self._flight

    # -- inside ------------------------------------------------------------------------------------------------------

    def _fly(self) -> None:
        if self._flight is None or self._flight.done():
            self._flight = asyncio.get_running_loop().create_task(self._ask_all())

    async def _ask_all(self) -> None:
        while self._asking or self._waiting:
            asking, self._asking = dict.fromkeys(self._asking), []
            self._asked_for, self._waiting = self._waiting, []
            for one in self._asked_for:
                for bucket, count in short_of(one.taken):
                    bucket.need(count)
                    asking[bucket] = None
            if asking:
                await self._ask(list(asking))
            self._settle()

    async def _ask(self, buckets: Sequence[Bucket]) -> None:
        asks = [bucket.ask() for bucket in buckets]
        self._tick(WAIT_TICKS)
        try:
            grants = await self._lender.lend(asks)
        except Unanswered as problem:
            self._note_away(str(problem))
            return
        finally:
            if self._timer:
                self._timer.cancel()
            for bucket in buckets:
                bucket.is_asked = False
        self._note_back()
        now = self._clock()
        self.taken += len(asks)
        for bucket, ask, grant in zip(buckets, asks, grants, strict=True):
            bucket.put_in(ask, grant, now)

    def _tick(self, left: int) -> None:
        """Count the time that the loop ran: one that stood still has not looked yet whether the answer is there."""
        if left:
            self._timer = asyncio.get_running_loop().call_later(WAIT_TICK_S, self._tick, left - 1)
        else:
            self._note_away(f"no answer within {WAIT_TICK_S * WAIT_TICKS:.2f} s")

    def _note_away(self, problem: str) -> None:
        now = self._clock()
        self.problem, self._try_at = problem, now + TRY_AGAIN_S
        if now >= self._log_at:
            self._log_at = now + LOG_EVERY_S
            self._is_told = True
            log.warning("rate limits don't hold, Redis gives no tokens: %s", problem)
        self._let_all_through()

    def _note_back(self) -> None:
        if self._is_told:
            log.warning("rate limits hold again")
        self.problem, self._is_told = None, False

    def _let_all_through(self) -> None:
        released = [*self._asked_for, *self._waiting]
        self._asked_for, self._waiting = [], []
        for one in released:
            self.let_through += let_through(one.taken)
            _tell(one, None)

    def _settle(self) -> None:
        """Answer those who waited, in the order they came."""
        settled, self._asked_for = self._asked_for, []
        now = self._clock()
        for one in settled:
            short = short_of(one.taken)
            if not short:
                spend(one.taken)
            _tell(one, too_many(short, now) if short else None)


def _tell(waiting: Waiting, verdict: TooMany | None) -> None:
    if waiting.done is None:
        return
    try:
        waiting.done(verdict)
    except Exception:  # the others of this turn wait for their answers
        log.exception("a request failed after it was let in")
