"""Which process of a data folder drains and keeps the store: the one that holds its lock.

Rule of this module: the kernel lets go of the lock when its holder dies, however it dies, so nobody has to clean up.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO
from uuid import uuid4

LOCK_NAME = "owner.lock"
PLACE_NAME = "place"


class Ownership:
    """A lock on a data folder. It may be asked for again and again."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._file: IO[str] | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process is the owner."""
        return self._file is not None

    def place(self) -> str:
        """Return the name of this folder among all that drain from one Redis. Ask it only while it is held."""
        file = self._path.with_name(PLACE_NAME)
        if not file.exists():
            file.write_text(uuid4().hex)
        return file.read_text()

    def take(self) -> bool:
        """Try to become the owner; return at once whether this process is it."""
        if self._file is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(f"{os.getpid()}\n")  # for people; the lock is what counts
        file.flush()
        self._file = file
        return True

    def give_up(self) -> None:
        """Let another process take it."""
        if self._file is not None:
            self._file.close()
            self._file = None
