"""The edge's side of the buffer: requests of one loop turn become one transaction, each answered when it is confirmed.

One write is under way at a time; what arrives meanwhile is the next one. When one fails, all that wait fail with it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from glimpse.buffer.channel import Channel
from glimpse.buffer.records import Command, Receipt, commands_for, stream_of
from glimpse.patience import TICK_S

log = logging.getLogger("glimpse.buffer")

ANSWER_WITHIN_S = 0.18  # so that the edge's 503 leaves within 250 ms
LENGTH_ASKED_EVERY_S = 0.25
WRITTEN_LATELY_S = 1.0
_MOST_TICKS = round(ANSWER_WITHIN_S / TICK_S)

Done = Callable[[str | None], None]  # None: confirmed; else why not


class Appender:
    """Takes receipts for a shard and says of each, within 200 ms, whether Redis has it."""

    def __init__(self, channel: Channel, high_mark: int, shard: int = 0) -> None:
        self._channel = channel
        self._shard = shard
        self._ask_length: Command = ("XLEN", stream_of(shard))
        self._try: Command = ("SET", f"glimpse:probe:{{{shard}}}", 1, "EX", 60)  # for receipts with nothing in them
        self._high_mark = high_mark
        self._waiting: list[tuple[Receipt, Done]] = []
        self._under_way: list[tuple[Receipt, Done]] = []
        self._is_busy = False  # a write is under way, or due in this turn
        self._asks_length = False
        self._idle: asyncio.Event | None = None  # somebody waits for the end
        self._waits: list[asyncio.Future[None]] = []  # somebody waits until what is under way is decided
        self._clock = _TickClock(self._look_at_clock)
        self._waiting_since = self._under_way_since = 0
        self._length = 0
        self._length_seen_at = float("-inf")
        self._written_at = float("-inf")
        self.problem: str | None = None

    @property
    def is_written_to(self) -> bool:
        """Whether requests have brought events within the last second."""
        return time.monotonic() - self._written_at < WRITTEN_LATELY_S

    def append_soon(self, receipt: Receipt, done: Done) -> None:
        """Write a receipt with the others of this turn; `done` is called once, at once or when it is decided."""
        if receipt.admitted and self._length >= self._high_mark and not self._is_length_stale():
            done(self._overflow())
            return
        if receipt.admitted:
            self._written_at = time.monotonic()
        if not self._waiting:
            self._waiting_since = self._clock.ticks
        self._waiting.append((receipt, done))
        if not self._is_busy:
            self._is_busy = True
            asyncio.get_running_loop().call_soon(self._flush)

    def take_back(self, done: Done) -> None:
        """Forget a receipt that was not sent yet: whoever waited has got a 503."""
        self._waiting = [(kept, whose) for kept, whose in self._waiting if whose is not done]

    async def confirm(self) -> None:
        """Return when what is under way now is decided; at once when nothing is."""
        if self._under_way:
            decided: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waits.append(decided)
            await decided

    async def settle(self) -> None:
        """Return when nothing waits any more."""
        if self._is_busy:
            self._idle = asyncio.Event()
            await self._idle.wait()

    def close(self) -> None:
        """Drop the connection; what still waits is told."""
        self._channel.abandon()
        self._fail("the buffer is closed")
        self._clock.stop()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        is_stale = self._is_length_stale()
        if self._length >= self._high_mark:
            if is_stale and self._waiting:  # what waits is decided by the answer
                self._send([], [self._ask_length], self._waiting_since)
                return
            self._refuse_overflow()
        if not self._waiting:
            self._rest()
            return
        batch, self._waiting = self._waiting, []
        commands = commands_for([receipt for receipt, _ in batch], self._shard) or [self._try]
        self._send(batch, [*commands, self._ask_length] if is_stale else commands, self._waiting_since)

    def _send(self, batch: list[tuple[Receipt, Done]], commands: Sequence[Command], since: int) -> None:
        self._under_way, self._under_way_since = batch, since
        self._asks_length = commands[-1] is self._ask_length
        self._clock.start()
        self._channel.send(commands, self._settled)

    def _settled(self, replies: Sequence[Any], problem: str | None) -> None:
        if problem:
            self._fail(f"Redis can't take events: {problem}")
            return
        self.problem = None
        if self._asks_length:
            self._length, self._length_seen_at = replies[-1], time.monotonic()
        batch, self._under_way = self._under_way, []
        waits, self._waits = self._waits, []
        # What else arrives in this turn goes with the next write.
        asyncio.get_running_loop().call_soon(self._flush)
        _tell(batch, None)
        _let_go(waits)

    def _fail(self, problem: str) -> None:
        self.problem = problem
        batch, self._under_way, self._waiting = [*self._under_way, *self._waiting], [], []
        waits, self._waits = self._waits, []
        self._rest()
        _tell(batch, problem)
        _let_go(waits)

    def _rest(self) -> None:
        self._is_busy = False
        if self._idle:
            self._idle.set()

    def _look_at_clock(self) -> bool:
        """Fail what has waited too long; return whether to look again."""
        since = self._under_way_since
        if self._is_busy and self._clock.ticks - since >= _MOST_TICKS:
            self._channel.abandon()
            self._fail(f"Redis can't take events: no answer within {round(ANSWER_WITHIN_S * 1000)} ms")
        return self._is_busy

    def _is_length_stale(self) -> bool:
        return time.monotonic() - self._length_seen_at > LENGTH_ASKED_EVERY_S

    def _refuse_overflow(self) -> None:
        refused = [waiting for waiting in self._waiting if waiting[0].admitted]
        self._waiting = [waiting for waiting in self._waiting if not waiting[0].admitted]
        _tell(refused, self._overflow())

    def _overflow(self) -> str:
        return f"{self._length} entries wait in the buffer; its high mark is {self._high_mark}"


def _let_go(waits: Sequence[asyncio.Future[None]]) -> None:
    for decided in waits:
        if not decided.done():  # whoever waited may have been cancelled
            decided.set_result(None)


def _tell(batch: Sequence[tuple[Receipt, Done]], problem: str | None) -> None:
    for _, done in batch:
        try:
            done(problem)
        except Exception:  # one request's fault must not leave the others without an answer
            log.exception("a request could not be told what became of it")


class _TickClock:
    """Counts ticks in which the loop ran, as `patience` does, with one timer for all that wait."""

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self._timer: asyncio.TimerHandle | None = None
        self.ticks = 0

    def start(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def _tick(self) -> None:
        self.ticks += 1
        self._timer = None
        if self._look():
            self.start()
