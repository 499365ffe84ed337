"""Many visitors at once, at a steady number of events a second.

The rate is kept by the wall clock; the visitors' own time runs as fast as that takes. With as many sessions as the
rate sustains (the default) a visitor's second lasts about a second. Who came before it began is sent first, many times
as fast, and with the times of then.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import random
import signal
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from glimpse.errors import SettingsError
from glimpse.traffic.journeys import Step, plan_journey
from glimpse.traffic.sender import Account, Sender
from glimpse.traffic.tracker import Call, Tracker
from glimpse.traffic.visitors import Crowd

T = TypeVar("T")

SECONDS_BETWEEN_EVENTS: Final = 6.0
"""How long a visitor takes from one event to the next, on average over many journeys."""
FIRST_ARRIVE_WITHIN_S: Final = 20.0
PAST_RATE: Final = 8_000
"""Events a second while the past is sent: well below what a server takes of one project (`GLIMPSE_RATE_LIMIT`)."""
LONGEST_PAST_S: Final = 6.5 * 86_400
"""Events of more than seven days ago lose their time at the edge; sending takes some of that."""
_FINISH_WITHIN_S: Final = 2.0
_BEHIND_S: Final = 0.5
_PROGRESS_EVERY_S: Final = 0.25


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate.

    ``sessions`` is how many are in the shop at once. Without ``duration_s`` it goes on until it is cancelled.
    """

    url: str = "http://localhost:5006"
    rate: float = 20.0  # events a second
    sessions: int | None = None  # None: as many as the rate sustains
    seed: int | None = None
    project: str = "demo"
    duration_s: float | None = None
    past_s: float = 0.0  # for how long visitors have come before it begins
    connections: int = 16

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname:
            raise SettingsError(f"{self.url} is no address of a server: give one such as http://localhost:5006")
        if self.rate <= 0 or (self.sessions is not None and self.sessions <= 0):
            raise SettingsError("the rate and the number of sessions must be greater than 0")
        if not 0 <= self.past_s <= LONGEST_PAST_S:
            raise SettingsError(f"a past of {self.past_s:g} s can't be: give 0 to {LONGEST_PAST_S:g} s (6.5 days)")

    @property
    def site(self) -> str:
        """Address of the server, without a slash at its end."""
        return self.url.rstrip("/").removesuffix("/event")

    @property
    def sessions_at_once(self) -> int:
        """How many visitors are in the shop at any time."""
        return self.sessions or max(1, round(self.rate * SECONDS_BETWEEN_EVENTS))


class Report(msgspec.Struct):
    """What a simulation did."""

    account: Account
    seconds: float
    asked_rate: float

    @property
    def rate(self) -> float:
        """Events that were sent, a second."""
        return self.account.sent / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        account = self.account
        lines = [
            f"{account.sent:,} events in {self.seconds:.1f} s: {self.rate:,.1f} a second (asked: {self.asked_rate:,g})",
            f"accepted {account.accepted:,}" + "".join(_told(name, getattr(account, name)) for name in _OTHERS),
        ]
        if account.latencies_ms:
            ordered = sorted(account.latencies_ms)
            p50, p99 = (ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
            lines.append(f"answered in {p50:.1f} ms (p50), {p99:.1f} ms (p99); {account.retries:,} requests sent again")
        return "\n".join(lines)


_OTHERS: Final = ("dropped", "rejected", "failed")


def _told(name: str, counts: dict[str, int]) -> str:
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in sorted(counts.items()))
    return f", {name} {sum(counts.values()):,}" + (f" ({reasons})" if reasons else "")


def calls(simulation: Simulation, now_ms: Callable[[], int]) -> Iterator[Call]:
    """Yield what all visitors send, in order, without end.

    The same seed and times give the same calls. A session that ends makes room for the next. Of the past, a visit is
    one call when it ended then; one that still goes on is a call of what happened, and calls of what comes.
    """
    seed = random.randrange(2**32) if simulation.seed is None else simulation.seed
    chance = random.Random(seed)
    begun_ms = arrived_ms = now_ms()
    crowd = Crowd(seed, lambda: arrived_ms)
    number = itertools.count()  # decides between visitors who are due at the same time
    # Seconds are those since it began; below 0 is the past.
    due: list[tuple[float, int, Tracker | None, Sequence[Sequence[Step]]]] = []
    for _ in range(simulation.sessions_at_once):
        heapq.heappush(due, (chance.uniform(0, FIRST_ARRIVE_WITHIN_S) - simulation.past_s, next(number), None, ()))
    while True:
        at_s, _, tracker, left = heapq.heappop(due)
        if not tracker:
            arrived_ms = now_ms() if at_s >= 0 else begun_ms + round(at_s * 1000)
            tracker, left = _arrive(simulation, crowd, chance, arrived_ms)
        if at_s >= 0:
            told = 1
            yield tracker.call(left[0], now_ms())
        else:  # who arrived in the past: what followed until it began leaves with it
            told = sum(at_s + group[0].at_s < 0 for group in left)
            yield tracker.call_late([*itertools.chain(*left[:told])], now_ms())
        at_s += left[told - 1][0].at_s - left[0][0].at_s
        if len(left) > told:
            until_next_s = left[told][0].at_s - left[told - 1][0].at_s
            heapq.heappush(due, (at_s + until_next_s, next(number), tracker, left[told:]))
        else:
            heapq.heappush(due, (at_s + chance.expovariate(1), next(number), None, ()))


def _arrive(
    simulation: Simulation, crowd: Crowd, chance: random.Random, now_ms: int
) -> tuple[Tracker, Sequence[Sequence[Step]]]:
    visitor = crowd.next()
    steps = plan_journey(chance, is_crawler=visitor.is_crawler)
    tracker = Tracker(visitor, site=simulation.site, project=simulation.project, chance=chance, now_ms=now_ms)
    # What happens at the same moment leaves in one request.
    return tracker, [list(group) for _, group in itertools.groupby(steps, lambda step: step.at_s)]


async def simulate(
    simulation: Simulation,
    *,
    on_progress: Callable[[Account], None] = lambda _: None,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> Report:
    """Send simulated traffic until its time is over, or it is cancelled.

    A server that can't keep up slows it down: the report then tells the rate that was reached.
    """
    started = time.monotonic()
    async with Sender(f"{simulation.site}/event", connections=simulation.connections) as sender:
        # Being cancelled is the way to end one without a duration.
        with contextlib.suppress(asyncio.CancelledError):
            await _send(simulation, sender, on_progress, now_ms)
        seconds = time.monotonic() - started
        with contextlib.suppress(asyncio.CancelledError):
            await sender.finish(within_s=_FINISH_WITHIN_S)
    on_progress(sender.account)
    return Report(sender.account, seconds, simulation.rate)


async def _send(
    simulation: Simulation, sender: Sender, on_progress: Callable[[Account], None], now_ms: Callable[[], int]
) -> None:
    loop = asyncio.get_running_loop()
    start = due = told_at = loop.time()
    for call in calls(simulation, now_ms):
        now = loop.time()
        if simulation.duration_s is not None and now - start >= simulation.duration_s:
            return
        if now - told_at >= _PROGRESS_EVERY_S:
            told_at = now
            on_progress(sender.account)
        if call.is_deferred:
            start = now
        if due > now:
            await asyncio.sleep(due - now)
        elif now - due > _BEHIND_S:
            due = now  # what could not be sent in its time is not made up for in a burst
        due += call.events / (PAST_RATE if call.is_deferred else simulation.rate)
        await sender.submit(call)


async def until_interrupted(work: Coroutine[Any, Any, T]) -> T:
    """Run some work, and cancel it at Ctrl-C, SIGTERM or when the terminal closes; return what it then returns."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
