"""SIGTERM and SIGINT before the event loop takes them, and in the parent of `--num-procs`.

Tornado's parent process only waits for its children, and dies of a signal without telling them. Here it passes the
signal on, and ends when they have. It would also start a child that can't work again and again, and end with status 0:
here such a child tells why, and the parent ends all of them, says it once, and exits 1.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import struct
import sys
from types import FrameType
from typing import NoReturn

from tornado import process

log = logging.getLogger("glimpse.server")

_PID = struct.Struct("q")


class ForkedChildren:
    """Knows the processes forked from this one, by a pipe that each child writes its id to."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._reasons, self._reason_writer = os.pipe()
        self._parent = os.getpid()
        self._pids: set[int] = set()
        self.is_leaving = False
        os.register_at_fork(after_in_child=self._announce)

    def _announce(self) -> None:
        self._pids = set()
        os.write(self._writer, _PID.pack(os.getpid()))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)

    def pass_on(self, _number: int, _frame: FrameType | None) -> None:
        """Send SIGTERM to the children; without any, leave."""
        self.is_leaving = True
        living = self._living()
        for pid in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if not living:
            _leave()

    def fail(self, reason: str) -> NoReturn:
        """End this process because it can't start, and with it the others: they would fail as well."""
        if os.getpid() == self._parent:
            log.critical("glimpse can't start: %s", reason)
            sys.exit(1)
        line = " ".join(reason.split()).encode()
        os.write(self._reason_writer, line[: select.PIPE_BUF - 1] + b"\n")  # so short a write is never torn
        if os.getppid() == self._parent:
            os.kill(self._parent, signal.SIGTERM)
        sys.exit(0)  # any other status, and the parent would try again

    def reason(self) -> str | None:
        """Return why the first child that failed did, or None."""
        if not select.select([self._reasons], [], [], 0)[0]:
            return None
        return os.read(self._reasons, select.PIPE_BUF).split(b"\n", 1)[0].decode(errors="replace")

    def _living(self) -> set[int]:
        with contextlib.suppress(BlockingIOError):
            while record := os.read(self._reader, _PID.size):
                self._pids.add(_PID.unpack(record)[0])
        self._pids = {pid for pid in self._pids if _is_own_child(pid)}
        return self._pids


def _is_own_child(pid: int) -> bool:
    try:  # looks without reaping: that is Tornado's part; an id that was given to a stranger is no child
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def _leave(_number: int = 0, _frame: FrameType | None = None) -> None:
    raise SystemExit(0)


def answer_before_the_loop() -> ForkedChildren:
    """Leave orderly on a signal until the loop has its own handlers; in a forking parent, tell the children.

    Tornado replaces a child that dies, also while all are told to stop: such a child finds `is_leaving` set.
    """
    children = ForkedChildren()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, children.pass_on)
    _fail_with_the_children(children)
    return children


def _fail_with_the_children(children: ForkedChildren) -> None:
    """Let the parent say why a child could not start, and exit 1, where Tornado would exit 0."""
    fork = process.fork_processes

    def fork_and_answer(num_processes: int | None, max_restarts: int | None = None) -> int:
        try:
            return fork(num_processes, max_restarts)
        except SystemExit:
            if reason := children.reason():
                children.fail(reason)
            raise

    process.fork_processes = fork_and_answer
