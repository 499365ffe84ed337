"""The composition root: builds everything once, in one place, and hands it down.

Rule of this module: a part gets what it needs when it is made; nothing below looks anything up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

from glimpse.buffer import EventBuffer, Leases, connect
from glimpse.clock import steady_now_ms
from glimpse.collect.core import Edge
from glimpse.collect.limits import Limits
from glimpse.collect.routes import Parts
from glimpse.enrich import Enricher, Tools
from glimpse.enrich.device import Devices
from glimpse.errors import BufferUnavailable, GlimpseError, SettingsError, StoreUnavailable
from glimpse.events import Event
from glimpse.geo.places import open_places
from glimpse.live import PipelineStatus, Window
from glimpse.pipeline import Pipeline
from glimpse.projects import Projects
from glimpse.server.follower import Follower
from glimpse.server.gauges import show_in_metrics
from glimpse.server.operations import Operations
from glimpse.server.ownership import Ownership
from glimpse.server.pulse import Pulse
from glimpse.server.tasks import Clockwork
from glimpse.sessions import SessionTracker
from glimpse.settings import Settings
from glimpse.store import LocalQueries, Queries, QuerySocket, RemoteQueries, Store, open_store
from glimpse.store.opening import is_shared, named
from glimpse.store.remote import SOCKET_NAME
from glimpse.transfer import SOCKET_NAME as TRANSFER_SOCKET_NAME
from glimpse.transfer import LocalInlet, LocalOutlet, Outlet, OwnerSocket, RemoteOutlet
from glimpse.valkey import EmbeddedValkey, socket_path

log = logging.getLogger("glimpse.server")

T = TypeVar("T")
REDIS_WITHIN_S = 8.0  # a Redis that is started beside this server may come up later
DRAIN_WITHIN_S = 2.5  # while stopping, with the wait for another process that stops too


class Glimpse:
    """One process' Glimpse. Make it, `start` it on the loop it is to live on, and `stop` it there.

    Parameters
    ----------
    settings
        All of them.
    window
        The window to fill, when the caller needs a special one.
    """

    buffer: EventBuffer
    registry: Projects
    edge: Edge
    parts: Parts
    follower: Follower

    def __init__(self, settings: Settings, window: Window | None = None) -> None:
        self.settings = settings
        self.valkey = None if settings.server_redis_url else EmbeddedValkey(settings)
        self.window = window or Window(
            minutes=settings.window_minutes, max_events=settings.window_events, now_ms=steady_now_ms
        )
        self.places = open_places(settings)
        self.enricher = Enricher(Tools(self.places, Devices()))
        self.store: Store | None = None
        self.reading: Store | None = None  # while another process has the drain, of a store that any may read
        self.pipeline: Pipeline | None = None
        self.leases: Leases | None = None
        self.pulse = Pulse(self)
        self.clockwork = Clockwork(self)
        self.operations = Operations(self)
        self.active_sessions: dict[str, int] = {}  # by project, as last logged
        self.known_projects: list[str] = []  # what the store has, also from before the window
        self.store_problem: str | None = None
        self.is_stopping = False
        self._ownership = Ownership(settings.data_dir)
        self._owning = asyncio.Lock()
        self._has_folder = False
        self._is_started = False

    # -- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start or adopt the buffer, open the store or follow its owner, and begin the tasks.

        Raises
        ------
        SettingsError
            When the data folder can't be written.
        BufferUnavailable
            When the buffer can't be had. `stop` leaves nothing running.
        """
        _see_that_it_can_be_written(self.settings.data_dir)
        self._has_folder = True
        self.buffer = await self._open_buffer()
        self.query_socket_path = socket_path(self.settings.data_dir, SOCKET_NAME)
        self.queries: Queries = RemoteQueries(self.query_socket_path)
        self.transfer_socket_path = socket_path(self.settings.data_dir, TRANSFER_SOCKET_NAME)
        self.outlet: Outlet = RemoteOutlet(self.transfer_socket_path)
        self.follower = Follower(self.buffer, self.window, lambda: self.queries, self.settings)
        self._redis = connect(self.redis_url)
        self.registry = Projects.on(self._redis, self.settings)
        await self.registry.refresh()  # before the first event: nobody could tell whose are welcome
        limits = Limits.at(self.redis_url, self._redis, self.settings, self.registry)
        self.edge = Edge(self.buffer, self.settings, projects=self.registry, limits=limits)
        self.parts = self._parts()
        show_in_metrics(self)
        await self.try_to_own()
        self._is_started = True
        self.clockwork.start()

    async def _open_buffer(self) -> EventBuffer:
        if self.valkey:
            await asyncio.to_thread(self.valkey.start)
            return await EventBuffer.open(self.redis_url, self.settings)
        return await self._open_patiently(self.redis_url)

    @property
    def redis_url(self) -> str:
        """Where buffer and registry are."""
        return self.valkey.url if self.valkey else self.settings.server_redis_url or ""

    async def _open_patiently(self, url: str) -> EventBuffer:
        deadline = time.monotonic() + REDIS_WITHIN_S
        while True:
            try:
                return await EventBuffer.open(url, self.settings)
            except BufferUnavailable as problem:
                if time.monotonic() > deadline or self.is_stopping:
                    raise
                log.warning("%s; trying again", problem)
                await asyncio.sleep(1)

    def _parts(self) -> Parts:
        return Parts(
            settings=self.settings,
            edge=self.edge,
            buffer=self.buffer,
            window=self.window,
            queries=self.queries,
            outlet=self.outlet,
            health=self.health,
        )

    def leave_soon(self) -> None:
        """Say, while it starts, that it is to stop as soon as it has started."""
        self.is_stopping = True

    async def stop(self) -> None:
        """Take everything that was acknowledged to the store, then let go of all of it. Never raises.

        It takes 10 s at most; what could not be stored by then stays in the buffer for the next start.
        """
        self.is_stopping = True
        await _within(2.5, "tasks", self.clockwork.stop())
        if self._is_started:
            await _within(DRAIN_WITHIN_S, "drain", self._drain_the_rest())
            if self.pipeline:  # also what could not be acknowledged: the store knows how far it is
                await _within(2.2, "flush", self.pipeline.flush())
            await _within(1.0, "store", self._disown())
            await _within(0.2, "edge", self.edge.close())
            await _within(0.5, "buffer", self.buffer.close())
            await _within(0.2, "registry", self._redis.aclose())
        if self.valkey and self._has_folder:
            await _within(2.0, "valkey", asyncio.to_thread(self.valkey.stop))
        self.places.close()

    async def _drain_the_rest(self) -> None:
        """Drain; when another process owns the store, see that it does, or take over as it goes."""
        if not self.settings.drains:
            return
        while not await self.try_to_own():
            if await self.buffer.lag_ms(steady_now_ms()) == 0:
                return
            await asyncio.sleep(0.1)
        if self.pipeline:
            await self.pipeline.close()

    # -- the owner's part ----------------------------------------------------------------------------------------------

    @property
    def shares_store(self) -> bool:
        """Whether other processes may drain beside this one, each its share of the shards."""
        return is_shared(self.settings)

    @property
    def is_owner(self) -> bool:
        """Whether this process drains and has the store."""
        return self.pipeline is not None

    async def try_to_own(self) -> bool:
        """Become the owner if there is none; return whether this process is it."""
        async with self._owning:
            if self.settings.drains and self.pipeline is None and self._ownership.take():
                try:
                    await self._become_owner()
                except Exception as problem:  # noqa: BLE001 - whatever the store has, the edge goes on and events wait
                    self._note_store_problem(problem)
                    await self._disown()
                except BaseException:
                    await self._disown()
                    raise
            return self.pipeline is not None

    async def read_directly(self) -> None:
        """Ask the store itself while another process drains into it, if it is one that any process may read."""
        async with self._owning:
            if self.reading or self.pipeline or self.is_stopping or not is_shared(self.settings):
                return
            self.reading = await asyncio.to_thread(open_store, self.settings)
            self.queries = self.parts.queries = LocalQueries(self.reading, self.buffer)
            self.outlet = self.parts.outlet = LocalOutlet(self.reading)

    async def _stop_reading(self) -> None:
        if self.reading and isinstance(self.queries, LocalQueries) and isinstance(self.outlet, LocalOutlet):
            await asyncio.to_thread(self.queries.close)
            self.outlet.close()
            await asyncio.to_thread(self.reading.close)
            self.reading = None
            self._ask_owner()

    def _ask_owner(self) -> None:
        self.outlet = self.parts.outlet = RemoteOutlet(self.transfer_socket_path)
        self.queries = self.parts.queries = RemoteQueries(self.query_socket_path)

    async def keep_leases(self) -> None:
        """Renew the leases of what this process drains; where its share has changed, drain that instead."""
        async with self._owning:
            if not (self.pipeline and self.leases and self.store):
                return
            due = await self.leases.look()
            is_set_up = due == self.pipeline.shards and not self.pipeline.is_over  # over: the last change broke off
            if is_set_up or not await self.pipeline.hand_over():
                return
            await self.leases.give_up(tuple(shard for shard in self.pipeline.shards if shard not in due))
            pipeline = self._pipeline_on(self.store, self.leases, due)
            await pipeline.recover()
            self.pipeline = pipeline
        log.info("this process drains the shards %s", ", ".join(map(str, due)) or "of nobody")

    async def own_again(self) -> None:
        """Open a store again that has failed, and take up where its last commit is; so after a lost lease."""
        async with self._owning:
            await self._disown()
        await self.try_to_own()

    def _pipeline_on(self, store: Store, leases: Leases, shards: tuple[int, ...]) -> Pipeline:
        return Pipeline(
            buffer=self.buffer,
            store=store,
            sessions=SessionTracker(self.settings.session_timeout_s),
            enricher=self.enricher,
            window=self.window,
            settings=self.settings,
            shards=shards,
            fence=leases.confirm,
        )

    async def _become_owner(self) -> None:
        place = "" if self.shares_store else self._ownership.place()
        self.leases = Leases(self.buffer.redis, self.buffer.shards, place)
        shards = await self.leases.look()
        self.store = await asyncio.to_thread(open_store, self.settings)
        pipeline = self._pipeline_on(self.store, self.leases, shards)
        await pipeline.recover()
        await self._stop_reading()
        queries = LocalQueries(self.store, self.buffer)
        self._query_socket = QuerySocket(queries, self.query_socket_path)
        await self._query_socket.start()
        outlet = LocalOutlet(self.store)
        inlet = LocalInlet(self.store, self._call_store, self._expect_stored)
        self._transfer_socket = OwnerSocket(outlet, self.transfer_socket_path, inlet)
        await self._transfer_socket.start()
        self.queries = self.parts.queries = queries
        self.outlet = self.parts.outlet = outlet
        self.pipeline = pipeline
        self.store_problem = None
        log.info("this process drains and keeps the store, %s", self.store.place)

    async def _call_store(self, work: Callable[..., T], *arguments: object) -> T:
        """Do something with the store where the drain of the moment commits to it."""
        if self.pipeline is None:
            raise StoreUnavailable("this process does not keep the store any more")
        return await self.pipeline.commits.call(work, *arguments)

    def _expect_stored(self, rows: Sequence[Event]) -> None:
        if self.pipeline:
            self.pipeline.expect_stored(rows)

    async def _disown(self) -> None:
        await self._stop_reading()
        if isinstance(self.queries, LocalQueries):
            await self._query_socket.stop()
            self.queries.close()
        if isinstance(self.outlet, LocalOutlet):
            await self._transfer_socket.stop()
            self.outlet.close()
        self._ask_owner()
        if self.pipeline:
            await self.pipeline.stop_learning()
        self.pipeline = None
        if self.store:
            await asyncio.to_thread(self.store.close)
            self.store = None
        self._ownership.give_up()
        if self.leases:
            with contextlib.suppress(BufferUnavailable):  # they run out by themselves
                await self.leases.give_up()
            self.leases = None

    def _note_store_problem(self, problem: Exception) -> None:
        said = str(problem)
        if not isinstance(problem, GlimpseError):  # a damage that showed when it was read, after it had opened
            said = f"{named(self.settings)} can't be taken up: {type(problem).__name__}: {problem}"
        if said != self.store_problem:
            log.error("the store can't be opened; events wait in the buffer: %s", said)
            log.debug("in full", exc_info=problem)
        self.store_problem = said

    # -- how it is -----------------------------------------------------------------------------------------------------

    def health(self) -> dict[str, str | None]:
        """Return each part's problem, None where there is none."""
        return {"buffer": self.pulse.buffer_problem, "store": self.pulse.store_problem, "geo": self.places.problem}

    def projects(self) -> list[str]:
        """Return what can be looked at: projects in the window, then those of the store, then those only registered."""
        registered = [project.id for project in self.registry.registered()]
        return list(dict.fromkeys([*self.window.projects(), *self.known_projects, *registered]))

    def status(self) -> PipelineStatus:
        """Return how far behind the picture is, for the status line."""
        return self.pulse.status()


def _see_that_it_can_be_written(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=data_dir):
            return
    except OSError as problem:
        raise SettingsError(f"the data folder can't be written: {problem}; GLIMPSE_DATA_DIR names another") from problem


async def _within(seconds: float, part: str, work: Coroutine[Any, Any, object]) -> None:
    """Wait for a part's end for so long. It is never cancelled: a commit cut off halfway would be done twice."""
    task = asyncio.create_task(work)
    _, pending = await asyncio.wait([task], timeout=seconds)
    if pending:
        task.add_done_callback(lambda late: late.cancelled() or late.exception())  # it has been reported here
        log.error("stopping: %s takes longer than %.1f s and is left", part, seconds)
    elif isinstance(problem := task.exception(), GlimpseError):
        log.error("stopping: %s could not be done: %s", part, problem)
    elif problem:
        log.error("stopping: %s failed", part, exc_info=problem)
