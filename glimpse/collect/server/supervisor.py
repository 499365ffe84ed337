"""`glimpse collect`: starts the workers, starts one again that dies, and stops them all.

Workers are forked from this process, which runs no loop and no thread: they share its memory, and one that died is
back within a second. Rule of this module: it takes no connection, so that nothing a client sends can harm it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from glimpse.buffer import EventBuffer
from glimpse.collect.server.blackboard import Blackboard
from glimpse.collect.server.sockets import tcp_sockets, unix_socket
from glimpse.collect.server.worker import run_worker
from glimpse.errors import BufferUnavailable
from glimpse.settings import Settings
from glimpse.valkey import EmbeddedValkey

log = logging.getLogger("glimpse.collect")

REDIS_WITHIN_S = 8.0  # one that is started beside this may come up later
LOOK_EVERY_S = 1.0
LIVES_AT_LEAST_S = 1.0  # a worker that dies sooner is started again only after that time
KILL_AFTER_S = 9.0  # more than a worker takes to stop
_STOPS = (signal.SIGTERM, signal.SIGINT)


class Address(NamedTuple):
    """Where to listen: at a path, or at a port of a host."""

    host: str | None
    port: int
    path: Path | None = None

    def sockets(self, count: int) -> list[socket.socket]:
        """Return a socket for each worker; a path has one for all."""
        return [unix_socket(self.path)] * count if self.path else tcp_sockets(self.host, self.port, count)


class _Worker(NamedTuple):
    number: int
    started_at: float


class Supervisor:
    """Keeps so many workers running."""

    def __init__(self, url: str, settings: Settings, address: Address, workers: int) -> None:
        self._url = url
        self._settings = settings
        self._address = address
        self._sockets = address.sockets(workers)
        self._board = Blackboard(workers)
        self._running: dict[int, _Worker] = {}  # by process id
        self._due: dict[int, float] = dict.fromkeys(range(workers), 0.0)  # to be started, and not before when
        self._lifeline = os.pipe()  # ends for the workers when this process does, however that is
        self._wakeup = socket.socketpair()
        self._stop_by: float | None = None

    @property
    def told(self) -> str:
        """Where it listens, for people."""
        if self._address.path:
            return os.fspath(self._address.path)
        name = self._sockets[0].getsockname()
        host = f"[{name[0]}]" if ":" in name[0] else name[0]
        return f"http://{host if self._address.host else 'localhost'}:{name[1]}"

    def run(self, valkey: EmbeddedValkey | None = None) -> None:
        """Run until SIGTERM or SIGINT comes and all workers have ended."""
        with self._woken_by_signals():
            while self._running or self._stop_by is None:
                self._start_due()
                self._wait()
                self._reap()
                if valkey and self._stop_by is None:
                    valkey.revive()
                if self._stop_by:  # again: one that had just been forked may have missed it
                    self._signal_all(signal.SIGKILL if time.monotonic() > self._stop_by else signal.SIGTERM)
        self._close()

    # -- workers ---------------------------------------------------------------------------------------------------

    def _start_due(self) -> None:
        now = time.monotonic()
        if self._stop_by is not None:
            return
        for index in [index for index, at in self._due.items() if at <= now]:
            del self._due[index]
            pid = os.fork()
            if pid == 0:
                self._become_worker(index)
            self._running[pid] = _Worker(index, now)

    def _become_worker(self, index: int) -> None:
        code = 1
        try:
            for number in (*_STOPS, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            os.close(self._lifeline[1])
            for other, listening in enumerate(self._sockets):
                if listening is not self._sockets[index] and other != index:
                    listening.close()
            run_worker(self._url, self._settings, self._sockets[index], self._lifeline[0], self._board, index)
            code = 0
        except BaseException:
            log.exception("a worker ended")
        finally:
            os._exit(code)

    def _reap(self) -> None:
        while self._running:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            worker = self._running.pop(pid, None)
            if worker and self._stop_by is None:
                log.error("worker %d (process %d) ended with %d; starting it again", worker.number, pid, status)
                self._due[worker.number] = worker.started_at + LIVES_AT_LEAST_S

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    # -- signals ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _woken_by_signals(self) -> Iterator[None]:
        for end in self._wakeup:
            end.settimeout(0)
        before = {number: signal.signal(number, self._on_signal) for number in (*_STOPS, signal.SIGCHLD)}
        waker = signal.set_wakeup_fd(self._wakeup[1].fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(waker)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: Any) -> None:
        if number in _STOPS and self._stop_by is None:
            self._stop_by = time.monotonic() + KILL_AFTER_S
            self._signal_all(signal.SIGTERM)

    def _wait(self) -> None:
        if select.select([self._wakeup[0]], [], [], LOOK_EVERY_S)[0]:
            with contextlib.suppress(BlockingIOError):
                self._wakeup[0].recv(4096)

    def _close(self) -> None:
        for listening in {id(s): s for s in self._sockets}.values():
            listening.close()
        if self._address.path:
            self._address.path.unlink(missing_ok=True)
        for end in self._lifeline:
            os.close(end)
        for end in self._wakeup:
            end.close()


def collect(settings: Settings, address: Address, workers: int) -> None:
    """Collect events until this process is told to stop; start a Valkey of the data folder unless one is named.

    Raises
    ------
    BufferUnavailable
        When there is no Redis that can be used.
    CannotListen
        When the port or path is taken.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    valkey = None if settings.server_redis_url else EmbeddedValkey(settings)
    if valkey:
        valkey.start()
    try:
        url = settings.server_redis_url or (valkey.url if valkey else "")
        asyncio.run(_see_redis(url, settings))
        supervisor = Supervisor(url, settings, address, workers)
        log.info("collecting at %s, %d process%s", supervisor.told, workers, "es" if workers > 1 else "")
        supervisor.run(valkey)
        log.info("stopped; what was taken is in the buffer")
    finally:
        if valkey:
            valkey.stop()


async def _see_redis(url: str, settings: Settings) -> None:
    deadline = time.monotonic() + REDIS_WITHIN_S
    while True:
        try:
            buffer = await EventBuffer.open(url, settings)
        except BufferUnavailable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            await buffer.close()
            return
