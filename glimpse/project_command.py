"""`glimpse project`: registers projects and sets what holds for them, whether or not a server runs.

Rule of this module: the embedded Valkey is started when it has to be, and left as it was found.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from glimpse.buffer import connect
from glimpse.errors import ProjectError
from glimpse.projects import Projects, ProjectSettings
from glimpse.projects.record import PROJECT_SETTINGS, checked_changes, checked_id, shown
from glimpse.settings import Settings
from glimpse.valkey import running_redis

_LISTED = ("name", "origins", "identity", "bots", "rate_limit")
_NONE = "-"
_LOCAL = "http://localhost:5006"
_SOON = "A running server knows it within a second."


async def add(settings: Settings, project: str, assignments: Sequence[str]) -> str:
    """Register a project; return what to print."""
    changes = checked_changes(_by_field(assignments))
    checked_id(project)
    async with _registry(settings, may_make_folder=True) as projects:
        is_first = projects.is_open
        found = await projects.add(project, changes)
    told = f"{project} is registered in {_place(settings)}. {_SOON}"
    if is_first:
        told += "\nIt is the first: from now on events of projects that are not registered are dropped."
    return f"{told}\n\n{_tag(settings, project)}\n\n{_all_of(found)}"


async def change(settings: Settings, project: str, assignments: Sequence[str]) -> str:
    """Change some settings of a project; return what to print."""
    changes = checked_changes(_by_field(assignments))
    async with _registry(settings) as projects:
        _find(projects, project)
        found = await projects.change(project, changes)
    return f"{project} is changed in {_place(settings)}. {_SOON}\n\n{_all_of(found)}"


async def remove(settings: Settings, project: str) -> str:
    """Take a project off the list; return what to print."""
    async with _registry(settings) as projects:
        _find(projects, project)
        await projects.remove(project)
        is_last = projects.is_open
    told = f"{project} is no longer registered in {_place(settings)}; its events stay. {_SOON}"
    return f"{told}\nIt was the last: events of any project are taken again." if is_last else told


async def show(settings: Settings, project: str) -> str:
    """Return everything that is set for a project."""
    async with _registry(settings) as projects:
        return _all_of(_find(projects, project))


async def show_list(settings: Settings) -> str:
    """Return the list of projects."""
    async with _registry(settings) as projects:
        found = projects.registered()
    if not found:
        return f"No project is registered in {_place(settings)}: events of any project are taken."
    rows = [("project", *(_word(field) for field in _LISTED))]
    rows += [(one.id, *(shown(getattr(one, field)) or _NONE for field in _LISTED)) for one in found]
    return f"{_columns(rows)}\n\nRegistered in {_place(settings)}; events of other projects are dropped."


async def write_all(settings: Settings, file: Path) -> str:
    """Write what is set for every project to a file; return what to print."""
    async with _registry(settings) as projects:
        found = {one.id: one for one in projects.registered()}
    await asyncio.to_thread(file.write_bytes, msgspec.json.format(msgspec.json.encode(found)))
    return f"{file}: {len(found):,} projects"


async def read_all(settings: Settings, file: Path) -> str:
    """Register the projects of a file that are not registered; the others stay as they are. Return what to print."""
    try:
        given = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=dict[str, ProjectSettings])
    except msgspec.DecodeError as problem:
        raise ProjectError(f"{file} can't be read: {problem}") from None
    async with _registry(settings, may_make_folder=True) as projects:
        there = {one.id for one in projects.registered()}
        new = {name: one for name, one in given.items() if name not in there}
        for name, one in new.items():
            await projects.add(checked_id(name), {row.field: getattr(one, row.field) for row in PROJECT_SETTINGS})
    return f"{file}: {len(new):,} projects are new, {len(given) - len(new):,} were there"


def _tag(settings: Settings, project: str) -> str:
    where = settings.public_url or _LOCAL
    told = "Put this into the <head> of its pages"
    if not settings.public_url:
        told += f", with your server's address in place of {where} (GLIMPSE_PUBLIC_URL tells it)"
    return f'{told}:\n\n    <script defer src="{where}/sdk/glimpse.js" data-project="{project}"></script>'


_FIELDS = {row.word: row.field for row in PROJECT_SETTINGS}
_WORDS = tuple(_FIELDS)


def _word(field: str) -> str:
    return field.replace("_", "-")


def _by_field(assignments: Sequence[str]) -> Mapping[str, str]:
    pairs = [assignment.partition("=") for assignment in assignments]
    if wrong := next((word for word, equals, _ in pairs if not equals or word not in _FIELDS), None):
        raise ProjectError(f"{wrong!r} is no setting; write SETTING=VALUE, with one of {', '.join(_WORDS)}")
    return {_FIELDS[word]: text for word, _, text in pairs}


def _find(projects: Projects, project: str) -> ProjectSettings:
    found = next((one for one in projects.registered() if one.id == project), None)
    if found is None:
        raise projects.unknown(project)
    return found


def _all_of(project: ProjectSettings) -> str:
    rows = [(row.word, shown(getattr(project, row.field)) or _NONE, row.help) for row in PROJECT_SETTINGS]
    return _columns([("project", project.id, ""), *rows])


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(f"{cell:{width}}" for cell, width in zip(r, widths, strict=True)).rstrip() for r in rows)


def _place(settings: Settings) -> str:
    url = settings.server_redis_url
    return url.rpartition("@")[2] if url else str(settings.data_dir.resolve())


@asynccontextmanager
async def _registry(settings: Settings, *, may_make_folder: bool = False) -> AsyncIterator[Projects]:
    if not (settings.server_redis_url or settings.data_dir.exists() or may_make_folder):
        yield Projects()  # nobody has been here
        return
    async with running_redis(settings) as url, _opened(url, settings) as projects:
        yield projects


@asynccontextmanager
async def _opened(url: str, settings: Settings) -> AsyncIterator[Projects]:
    async with connect(url) as redis:
        projects = Projects.on(redis, settings)
        await projects.refresh()
        yield projects
