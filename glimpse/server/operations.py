"""How a server is, in numbers, for its operations page: asked at most once a second, whoever looks.

Rule of this module: what costs a question of the store is asked less often than what costs none.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from glimpse.buffer import Letter, Room, room_of
from glimpse.errors import GlimpseError

if TYPE_CHECKING:
    from glimpse.server.composition import Glimpse

LOOK_EVERY_S, BOOKS_EVERY_S = 1.0, 3.0
MOST_BOOKS, MOST_LETTERS = 30, 50
_encode = msgspec.json.Encoder().encode


class Operations:
    """One process' numbers, shared by all who look at them."""

    def __init__(self, glimpse: Glimpse) -> None:
        self._glimpse = glimpse
        self._asking = asyncio.Lock()
        self._looked_at = self._books_at = -BOOKS_EVERY_S
        self._told = ""
        self._books: list[dict[str, Any]] = []
        self._are_books_read = True
        self._letters: list[Letter] = []
        self._counted: tuple[float, int, int] = (time.monotonic(), 0, 0)
        self._rates = {"received": 0.0, "drained": 0.0}
        self._versions = _versions()

    async def look(self) -> str:
        """Return everything as JSON; what can't be asked now is null."""
        async with self._asking:
            if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
                self._told = _encode(await self._ask()).decode()
                self._looked_at = time.monotonic()
        return self._told

    async def replay(self) -> str:
        """Play all dead letters again that can be; return what to say of it."""
        letters = self._glimpse.buffer.letters
        asked = [letter.key for letter in await letters.all()]
        gone = await letters.replay(asked)
        self._looked_at = self._books_at = -BOOKS_EVERY_S
        left = len(asked) - len(gone)
        return f"{_many(len(gone))} played again.{f' {_many(left)} can not be.' if left else ''}"

    async def _ask(self) -> dict[str, Any]:
        glimpse = self._glimpse
        room = await self._room()
        if room and time.monotonic() - self._books_at >= BOOKS_EVERY_S:
            await self._ask_books(room.dead_letters)
        status = glimpse.status()
        return {
            "as_of": time.time_ns() // 1_000_000,
            "is_owner": glimpse.is_owner,
            "state": status.state,
            "lag_ms": status.lag_ms,
            "problems": glimpse.health(),
            "rates": self._rate(),
            "steps": self._steps(),
            "commits": self._commits(),
            "room": room,
            "letters": [_shown(letter) for letter in self._letters],
            "memory_bytes": _own_memory(),
            "store": self._store(),
            "versions": {**self._versions, "Buffer": room.server if room else "unknown"},
            "books": self._books,
            "are_books_old": not room or not self._are_books_read,
        }

    async def _room(self) -> Room | None:
        glimpse = self._glimpse
        try:
            return await room_of(glimpse.buffer.redis, glimpse.buffer.shards, glimpse.settings.buffer_high_mark)
        except GlimpseError:
            return None  # Redis is away; why, its part says

    # -- the books ---------------------------------------------------------------------------------------------------

    async def _ask_books(self, dead_letters: int) -> None:
        self._are_books_read = False
        try:
            accounts = await self._glimpse.queries.ledgers()
        except (GlimpseError, OSError):
            return  # the store is away, which is told elsewhere: what was known stays
        self._are_books_read = True
        self._books = books_of(accounts, self._glimpse.projects())
        self._books_at = time.monotonic()
        if dead_letters != len(self._letters) or dead_letters > MOST_LETTERS:
            self._letters = (await self._glimpse.buffer.letters.all())[-MOST_LETTERS:]

    # -- the way -----------------------------------------------------------------------------------------------------

    def _rate(self) -> dict[str, float]:
        """Return events a second since the last look."""
        glimpse, (at, received, drained) = self._glimpse, self._counted
        now = time.monotonic(), glimpse.parts.metrics.received(), glimpse.pipeline.drained if glimpse.pipeline else 0
        passed = now[0] - at
        if received <= now[1] and passed > 0 and self._told:
            self._rates = {"received": (now[1] - received) / passed, "drained": max(0, now[2] - drained) / passed}
        self._counted = now
        return self._rates

    def _steps(self) -> list[dict[str, Any]]:
        """Return what each step took of an event, in microseconds, since this process drains these shards."""
        pipeline = self._glimpse.pipeline
        if pipeline is None or not pipeline.drained:
            return []
        drain, enrich = pipeline.times.seconds, pipeline.enrich_seconds
        return [
            {"of": of, "step": step, "us": seconds / pipeline.drained * 1e6}
            for of, steps in (("drain", drain), ("enrich", enrich))
            for step, seconds in steps.items()
        ]

    def _commits(self) -> dict[str, float]:
        pipeline = self._glimpse.pipeline
        commits = pipeline.commits if pipeline else None
        count, seconds = (commits.count, commits.seconds) if commits else (0, 0.0)
        return {"count": count, "ms": seconds / count * 1000 if count else 0.0}

    def _store(self) -> dict[str, Any]:
        store = self._glimpse.store
        return {"bytes": store.size_bytes() if store else None}


def books_of(accounts: dict[str, dict[str, Any]], latest: Sequence[str]) -> list[dict[str, Any]]:
    """Return the account of all, then that of each of the latest projects, and of the rest as of one; they add up.

    Parameters
    ----------
    accounts
        By project, and of all as `*`.
    latest
        Projects in the order in which they are listed; those that it does not name come after.
    """
    names = [name for name in dict.fromkeys([*latest, *accounts]) if name in accounts and name != "*"]
    listed, rest = names[:MOST_BOOKS], names[MOST_BOOKS:]
    books = [{"project": name, **accounts[name]} for name in ("*", *listed) if name in accounts]
    return [*books, {"project": None, **_summed([accounts[name] for name in rest])}] if rest else books


def _summed(accounts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for account in accounts:
        for name, value in account.items():
            whole[name] = (
                Counter(value) + whole.get(name, Counter()) if isinstance(value, dict) else (value + whole.get(name, 0))
            )
    return whole


def _own_memory() -> int | None:
    """Return what this process holds in memory, in bytes; only Linux tells it without asking another program."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGESIZE")


def _versions() -> dict[str, str]:
    packages = {"Panel": "panel", "Bokeh": "bokeh", "HoloViews": "holoviews", "DuckDB": "duckdb", "Tornado": "tornado"}
    told = {name: version(package) for name, package in packages.items()}
    return {"Glimpse": version("glimpse"), "Python": platform.python_version(), **told}


def _shown(letter: Letter) -> dict[str, Any]:
    projects = [f"{count} of {project or 'no project'}" for project, count in letter.counts.items()]
    return {
        "key": letter.key,
        "at": letter.at,
        "what": ", ".join(projects),
        "reason": letter.reason,
        "can_replay": letter.is_replayable,
    }


def _many(count: int) -> str:
    return f"{count} letter{'' if count == 1 else 's'}"
