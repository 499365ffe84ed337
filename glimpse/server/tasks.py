"""Everything that happens by the clock, as one table.

To add a task, write a coroutine function that takes the `Glimpse` and give it a line in `TASKS`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from glimpse.buffer import RENEWED_EVERY_S
from glimpse.errors import GlimpseError, LeaseLost
from glimpse.server.retention import expire_old

if TYPE_CHECKING:
    from glimpse.server.composition import Glimpse

log = logging.getLogger("glimpse.server")
live_log = logging.getLogger("glimpse.live")

_DRAIN_AT_MOST_S = 1.0  # then the others have their turn, also while a backlog is worked off


class Task(NamedTuple):
    """One line of the table.

    `runs_in` is `owner` (has drain and store), `follower` (has not), `reader` (sees what others drain, too) or `all`.
    """

    name: str
    function: Callable[[Glimpse], Awaitable[object]]
    period_ms: int
    runs_in: str


async def drain(glimpse: Glimpse) -> None:
    """Put what has arrived in window and store; go on at once while there is more than one turn takes.

    Not for the few events that came meanwhile: a turn asks Redis the same for one as for hundreds.
    """
    began, pipeline = time.monotonic(), glimpse.pipeline
    if pipeline:
        try:
            while await pipeline.drain_once() and pipeline.has_more and time.monotonic() - began < _DRAIN_AT_MOST_S:
                pass
        except LeaseLost as problem:
            await _begin_anew(glimpse, problem)
        if pipeline.is_lost and pipeline is glimpse.pipeline:
            await glimpse.own_again()


async def keep_leases(glimpse: Glimpse) -> None:
    """Stay the one that drains, and see which shards are this process' share."""
    try:
        await glimpse.keep_leases()
    except LeaseLost as problem:
        await _begin_anew(glimpse, problem)


async def _begin_anew(glimpse: Glimpse, problem: LeaseLost) -> None:
    """Forget what is not stored yet: it is another's now, and comes from the store if it comes back."""
    log.warning("%s; this one begins anew", problem)
    await glimpse.own_again()


async def own(glimpse: Glimpse) -> None:
    """Become the owner when there is none, else read what its owner lets any process read."""
    if not await glimpse.try_to_own():
        await glimpse.read_directly()


async def follow(glimpse: Glimpse) -> None:
    """Take what the owner has put in its window."""
    await glimpse.follower.follow()


async def announce(glimpse: Glimpse) -> None:
    """Tell the owner that somebody follows."""
    await glimpse.buffer.announce_follower()


async def watch_valkey(glimpse: Glimpse) -> None:
    """Start the embedded Valkey again when it has died."""
    if glimpse.valkey:
        await asyncio.to_thread(glimpse.valkey.revive)


async def watch_lag(glimpse: Glimpse) -> None:
    """Look how far behind the picture is, for the status line and `/health/ready`."""
    await glimpse.pulse.look()


async def refresh_geo(glimpse: Glimpse) -> None:
    """Take up a geo database that was replaced."""
    await asyncio.to_thread(glimpse.places.refresh_if_replaced)


async def learn_projects(glimpse: Glimpse) -> None:
    """Ask the store which projects there are."""
    glimpse.known_projects = await glimpse.queries.projects()


async def compile_ahead(glimpse: Glimpse) -> None:
    """Have the first filter of a page find its questions compiled."""
    await glimpse.queries.compile_ahead()


async def refresh_projects(glimpse: Glimpse) -> None:
    """Take up what was set for projects."""
    await glimpse.registry.refresh()


async def expire_events(glimpse: Glimpse) -> None:
    """Delete what is older than its project keeps."""
    await expire_old(glimpse)


async def log_active_sessions(glimpse: Glimpse) -> None:
    """Write one line for each project whose number of active sessions changed."""
    counts = {project: _open_sessions(glimpse, project) for project in glimpse.window.projects()}
    before = glimpse.active_sessions
    for project in sorted(counts.keys() | before.keys()):
        if counts.get(project, 0) != before.get(project, 0):
            live_log.info("[live] project=%s active=%d", project, counts.get(project, 0))
    glimpse.active_sessions = counts


def _open_sessions(glimpse: Glimpse, project: str) -> int:
    numbers = glimpse.window.numbers(project)
    return numbers.active + numbers.idle


TASKS = (
    Task("drain", drain, 25, "owner"),
    Task("keep leases", keep_leases, round(RENEWED_EVERY_S * 1000), "owner"),
    Task("watch lag", watch_lag, 500, "all"),
    Task("watch valkey", watch_valkey, 500, "all"),
    Task("refresh projects", refresh_projects, 1_000, "all"),
    Task("compile ahead", compile_ahead, 250, "owner"),
    Task("refresh geo", refresh_geo, 2_000, "owner"),
    Task("learn projects", learn_projects, 10_000, "all"),
    Task("log active sessions", log_active_sessions, 10_000, "owner"),
    Task("expire events", expire_events, 60_000, "owner"),
    Task("own", own, 500, "follower"),
    Task("follow", follow, 50, "reader"),
    Task("announce", announce, 5_000, "reader"),
)


class Clockwork:
    """Runs the table on the current loop. A task never overlaps itself, and a failure never ends it."""

    def __init__(self, glimpse: Glimpse) -> None:
        self._beats = [_Beat(task, glimpse) for task in TASKS]

    @property
    def problem(self) -> str | None:
        """The first task's problem that lasts, or None."""
        return next((f"{beat.task.name}: {beat.problem}" for beat in self._beats if beat.problem), None)

    def start(self) -> None:
        """Begin; each process runs all tasks, which look for themselves whether it is their turn."""
        for beat in self._beats:
            beat.start()

    async def stop(self) -> None:
        """Begin no further round, and wait for those under way."""
        await asyncio.gather(*(beat.stop() for beat in self._beats))


def _roles_of(glimpse: Glimpse) -> tuple[str, ...]:
    if not glimpse.is_owner:
        return "follower", "reader", "all"
    return ("owner", "reader", "all") if glimpse.shares_store else ("owner", "all")


class _Beat:
    """Runs one task again and again; by the loop's clock, for Tornado's stands still when the machine's is set back."""

    def __init__(self, task: Task, glimpse: Glimpse) -> None:
        self.task = task
        self.problem: str | None = None
        self._glimpse = glimpse
        self._under_way = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None
        self._is_stopped = False

    def start(self) -> None:
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def stop(self) -> None:
        self._is_stopped = True  # also of a round that takes longer than anybody waits here
        async with self._under_way:  # so that it is cancelled between two rounds
            if self._beating:
                self._beating.cancel()

    async def _beat(self) -> None:
        loop, period_s = asyncio.get_running_loop(), self.task.period_ms / 1000
        due = loop.time()
        while not self._is_stopped:
            due = max(due + period_s, loop.time())
            await asyncio.sleep(due - loop.time())
            await self._run()

    async def _run(self) -> None:
        if self.task.runs_in not in _roles_of(self._glimpse) or self._glimpse.is_stopping:
            return
        async with self._under_way:
            try:
                await self.task.function(self._glimpse)
            except GlimpseError as problem:
                self._note(str(problem))
            except Exception as problem:
                if self.problem is None:
                    log.exception("the task %r failed", self.task.name)
                self.problem = f"{type(problem).__name__}: {problem}"
            else:
                self.problem = None

    def _note(self, problem: str) -> None:
        if self.problem is None:
            log.warning("%s: %s", self.task.name, problem)
        self.problem = problem
