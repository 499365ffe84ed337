"""Glimpse inside a notebook's kernel: the whole server on a thread of its own, so that no cell blocks it."""

from __future__ import annotations

import asyncio
import atexit
import importlib
import socket
import sys
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar
from weakref import ref

from tornado.httpserver import HTTPServer
from tornado.web import Application

from glimpse.client import Client
from glimpse.clock import steady_now_ms
from glimpse.collect.routes import routes
from glimpse.errors import GlimpseError
from glimpse.events import Event, Merge, Session
from glimpse.filters import Filter, Where
from glimpse.live import Arrivals, Here, LiveNumbers, PipelineStatus, Window
from glimpse.server.access_log import log_without_address
from glimpse.server.composition import Glimpse
from glimpse.settings import Settings
from glimpse.store import Queries

T = TypeVar("T")
_HOST = "127.0.0.1"
_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 15.0


def start(port: int = 0, settings: Settings | None = None) -> Client:
    """Bring up edge, buffer, drain and store inside this process.

    Parameters
    ----------
    port
        Where to listen on loopback; 0 takes a free one.
    settings
        All of them; by default read from the environment.

    Raises
    ------
    OSError
        When the port is taken. Nothing is left running.
    BufferUnavailable
        When the buffer can't be had.
    """
    running = Embedded(port, settings or Settings.from_environment())
    _load_panel_into_notebook()
    return Client(running)


def _load_panel_into_notebook() -> None:
    """Let views show in the cells of the notebook this runs in, if it is one; everything comes from this machine."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None and hasattr(shell, "kernel"):
        import panel as pn  # noqa: PLC0415 - a script that only takes events doesn't pay for it

        pn.extension(inline=True)


class SharedWindow(Window):
    """A window that one thread fills while another looks."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(minutes=settings.window_minutes, max_events=settings.window_events, now_ms=steady_now_ms)
        self._lock = threading.RLock()

    def append(self, events: Sequence[Event]) -> None:
        """Take rows, while nobody looks."""
        with self._lock:
            super().append(events)

    def merge(self, merges: Sequence[Merge]) -> None:
        """Make one of two sessions, while nobody looks."""
        with self._lock:
            super().merge(merges)

    def restore(self, events: Sequence[Event]) -> None:
        """Take earlier rows, while nobody looks."""
        with self._lock:
            super().restore(events)

    def learn(self, sessions: Mapping[tuple[str, str], Session], *, are_stored: bool = False) -> None:
        """Take up what is known of sessions, while nobody looks."""
        with self._lock:
            super().learn(sessions, are_stored=are_stored)

    def look(self, project: str, where: Where | None = None) -> int:
        """Let time pass, while nobody fills."""
        with self._lock:
            return super().look(project, where)

    def fill(self, project: str, where: Where | None = None) -> bool:
        """Count more of what a filter keeps, while nobody appends."""
        with self._lock:
            return super().fill(project, where)

    def projects(self) -> list[str]:
        """Return the projects, while nobody fills."""
        with self._lock:
            return super().projects()

    def events(self, project: str, where: Where | None = None) -> list[Event]:
        """Return the events held, while nobody fills."""
        with self._lock:
            return super().events(project, where)

    def position(self, after_id: str | None = None) -> int | None:
        """Return how many events have come in, while nobody fills."""
        with self._lock:
            return super().position(after_id)

    def arrivals(self, project: str, where: Where | None, after: int, limit: int) -> Arrivals:
        """Return what came in after a position, while nobody fills."""
        with self._lock:
            return super().arrivals(project, where, after, limit)

    def here(self, project: str, where: Where | None = None, most: int = 50) -> list[Here]:
        """Return who is there, while nobody fills."""
        with self._lock:
            return super().here(project, where, most)

    def numbers(self, project: str, where: Where | None = None) -> LiveNumbers:
        """Return the live numbers, which never change once made."""
        with self._lock:
            return super().numbers(project, where)


def _at_exit(embedded: ref[Embedded]) -> None:
    """Stop it when the interpreter ends, while work can still be given to threads: `atexit` comes too late for that."""

    def stop() -> None:
        if found := embedded():
            found.stop()

    importlib.import_module("concurrent.futures.thread")  # what is set up first ends last
    getattr(threading, "_register_atexit", atexit.register)(stop)


class Embedded:
    """The server's thread, seen from the others. Its methods may be called from any thread."""

    def __init__(self, port: int, settings: Settings) -> None:
        self._listener = socket.create_server((_HOST, port))
        self._listener.settimeout(0)
        self.url = f"http://{_HOST}:{self._listener.getsockname()[1]}"
        self.window = SharedWindow(settings)
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._glimpse: Glimpse | None = None
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._live, args=[started], name="glimpse-server", daemon=True)
        self._thread.start()
        started.result(_START_WITHIN_S)
        _at_exit(ref(self))

    def status(self) -> PipelineStatus:
        """Return how far behind the picture is."""
        return self._glimpse.status() if self._glimpse else PipelineStatus(problem="Glimpse has been stopped")

    def ask(self, question: str, **arguments: Any) -> list[dict[str, Any]]:
        """Ask a question of `glimpse.store.Queries` and wait for the rows."""
        return self._run(self._queries.ask(question, **arguments))

    def save_segment(self, project: str, name: str, where: Where | None) -> None:
        """Give a filter a name in a project."""
        self._run(self._queries.save_segment(project, name, where))

    def segments(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the saved filters that can be used for a project, as JSON."""
        return self._run(self._queries.segments(project))

    @property
    def segment_changes(self) -> int:
        """How often saved filters have changed through this process."""
        return self._glimpse.queries.segment_changes if self._glimpse else 0

    def filter_for(self, project: str, where: Where | None, segment: str | None) -> Filter | None:
        """Return what a filter and a saved one both keep."""
        return self._run(self._queries.filter_for(project, where, segment))

    @property
    def _queries(self) -> Queries:
        if self._glimpse is None:
            raise GlimpseError("Glimpse has been stopped; glimpse.start() brings up another")
        return self._glimpse.queries

    def stop(self) -> None:
        """Drain, store, and end the thread. A second call does nothing."""
        if self._thread.is_alive() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(_STOP_WITHIN_S)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except BaseException:  # a cell that is interrupted waits for nothing any more
            running.cancel()
            raise

    # -- on the server's thread --------------------------------------------------------------------------------------

    def _live(self, started: Future[None]) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(started))
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _serve(self, started: Future[None]) -> None:
        glimpse = Glimpse(self._settings, self.window)
        try:
            await glimpse.start()
            http = HTTPServer(Application(list(routes(glimpse.parts)), log_function=log_without_address))
            http.add_sockets([self._listener])
        except BaseException as problem:  # noqa: BLE001 - it is raised where `start` waits for it
            self._listener.close()
            await glimpse.stop()
            started.set_exception(problem)
            return
        self._glimpse = glimpse
        started.set_result(None)
        await self._end.wait()
        self._glimpse = None
        http.stop()
        await http.close_all_connections()
        await glimpse.stop()
