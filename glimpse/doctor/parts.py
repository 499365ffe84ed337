"""Looks at what is on this machine: the data folder, the store, the places, the tracker's files, the books."""

from __future__ import annotations

import asyncio
import getpass
import tempfile
from pathlib import Path

from glimpse import resources
from glimpse.doctor.finding import Word, note, ok, wrong
from glimpse.errors import StoreUnavailable
from glimpse.geo.places import open_places
from glimpse.server.ownership import LOCK_NAME, Ownership
from glimpse.settings import Settings
from glimpse.store import RemoteQueries, open_store
from glimpse.store.opening import is_shared
from glimpse.store.remote import SOCKET_NAME
from glimpse.valkey import socket_path

_LOOKS_AT_BOOKS = 5  # an event may be between two of them
_BETWEEN_LOOKS_S = 0.2
_IN_MEMORY = ("tmpfs", "ramfs")
_ELSEWHERE = "GLIMPSE_DATA_DIR=/var/lib/glimpse"


async def data_folder(settings: Settings) -> Word:
    """Tell whether it can be written, and is still there after a restart."""
    folder = settings.data_dir.resolve()
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as problem:
        mend = f"chown -R {getpass.getuser()} {folder}" if nearest == folder else _ELSEWHERE
        return wrong(f"{nearest} can't be written: {problem.strerror}", mend)
    if nearest != folder:
        return ok(f"{folder} is not there yet; a server makes it")
    kind = _file_system(folder)
    if kind in _IN_MEMORY:
        return note(f"{folder} is in memory ({kind}): a restart of the machine loses all of it", _ELSEWHERE)
    return ok(f"{folder} can be written")


def _file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """Return the kind of file system that a folder is on; None where the kernel does not tell."""
    if not mounts.exists():
        return None
    rows = [line.split() for line in mounts.read_text().splitlines()]
    above = [(len(row[1]), number, row[2]) for number, row in enumerate(rows) if folder.is_relative_to(row[1])]
    return max(above)[2] if above else None


async def store(settings: Settings) -> Word:
    """Tell whether it opens, or who has it open."""
    folder = settings.data_dir
    if not folder.exists():
        return ok("is not there yet; a server makes it")
    ownership = Ownership(folder)
    if not ownership.take():
        return ok(f"process {(folder / LOCK_NAME).read_text().strip()} has it open")
    try:
        opened = await asyncio.to_thread(open_store, settings)
        await asyncio.to_thread(opened.close)
        return ok(f"{opened.place} opens" + ("" if is_shared(settings) else "; no server has it open"))
    finally:
        ownership.give_up()


async def places(settings: Settings) -> Word:
    """Tell which database of places is in use."""
    lookup = open_places(settings)
    try:
        if lookup.problem:
            return wrong(lookup.problem, "unset GLIMPSE_GEOIP_DB" if settings.geoip_db else "glimpse geo update")
        return ok(str(lookup.database))
    finally:
        lookup.close()


async def tracker(_settings: Settings) -> Word:
    """Tell whether the tracker's script is there."""
    script = resources.path("sdk/glimpse.js")
    return ok(f"{script}, {script.stat().st_size:,} bytes")


async def books(settings: Settings) -> Word:
    """Tell whether every event that came is accounted for."""
    if not settings.data_dir.exists():
        return ok("nothing was counted yet")
    queries = RemoteQueries(socket_path(settings.data_dir, SOCKET_NAME))
    try:
        projects = await queries.projects()
    except StoreUnavailable:
        return ok("no server is running on this data folder, which would tell")
    gaps = {project: gap for project in projects if (gap := await _gap(queries, project))}
    if gaps:
        return wrong("events are missing or counted twice: " + ", ".join(f"{p}: {gap:+d}" for p, gap in gaps.items()))
    return ok(f"balance, in {len(projects)} project{'' if len(projects) == 1 else 's'}")


async def _gap(queries: RemoteQueries, project: str) -> int:
    """Return by how many events a project's books are off."""
    gap = 0
    for _ in range(_LOOKS_AT_BOOKS):
        gap = (await queries.ledger(project))["difference"]
        if gap == 0:
            return 0
        await asyncio.sleep(_BETWEEN_LOOKS_S)
    return gap
