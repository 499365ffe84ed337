"""`glimpse dead-letters`: shows the events that could not be stored, and plays them again.

Rule of this module: it works whether or not a server runs, and what is played again is stored by the next that does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from glimpse.buffer import DeadLetters, Letter, connect
from glimpse.settings import Settings
from glimpse.valkey import running_redis

_MOST_REASON_CHARS = 90


async def show_letters(settings: Settings) -> str:
    """Return the list of letters, the oldest first."""
    async with _letters(settings) as letters:
        found = await letters.all() if letters else []
    if not found:
        return "There are no dead letters."
    lines = [_line(letter) for letter in found]
    return "\n".join(
        [*lines, "", f"{_many(len(found))}; `glimpse dead-letters replay KEY…` or `--all` plays them again."]
    )


async def replay(settings: Settings, keys: Sequence[str], *, is_all: bool) -> tuple[str, bool]:
    """Play letters again; return what to print, and whether all that were asked for went."""
    async with _letters(settings) as letters:
        found = await letters.all() if letters else []
        asked = [letter.key for letter in found] if is_all else list(dict.fromkeys(keys))
        gone = await letters.replay(asked) if letters else []
    known = {letter.key: letter for letter in found}
    many = f"{_many(len(gone))} played again; a running server stores them within seconds."
    told = [many if gone else "Nothing was played again."]
    for key in asked:
        if key not in gone:
            why = "it can't be decoded" if key in known else "there is none of that key"
            told.append(f"{key} was not played again: {why}")
    return "\n".join(told), len(gone) == len(asked)


def _line(letter: Letter) -> str:
    at = datetime.fromtimestamp(letter.at / 1000, UTC)
    counts = ", ".join(f"{count} of {project or 'no project'}" for project, count in letter.counts.items())
    reason = " ".join(letter.reason.split())[:_MOST_REASON_CHARS]
    mark = "" if letter.is_replayable else " (can't be played again)"
    return f"{at:%Y-%m-%d %H:%M:%S}Z  {letter.key}  {counts}{mark}  {reason}"


def _many(count: int) -> str:
    return f"{count} letter{'' if count == 1 else 's'}"


@asynccontextmanager
async def _letters(settings: Settings) -> AsyncIterator[DeadLetters | None]:
    if not (settings.server_redis_url or settings.data_dir.exists()):
        yield None  # nobody has been here
        return
    async with running_redis(settings) as url, connect(url) as redis:
        yield DeadLetters(redis, settings.shard_count)
