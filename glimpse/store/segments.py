"""Saved filters: each has a name in its project, or for all of them.

Rule of this module: people read these names and type them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from glimpse.errors import QueryError
from glimpse.store.questions import ALL_PROJECTS

if TYPE_CHECKING:
    from glimpse.store.queries import Queries

MOST_NAME_CHARS = 64


class Segment(msgspec.Struct, frozen=True):
    """One saved filter, as a back-up holds it."""

    project: str
    name: str
    filter: dict[str, Any]


async def every_segment(queries: Queries) -> list[Segment]:
    """Return the saved filters of all projects that have events, and those for all projects."""
    of_all = await queries.segments(ALL_PROJECTS)
    found = [Segment(ALL_PROJECTS, name, kept) for name, kept in of_all.items()]
    for project in sorted(await queries.projects()):
        own = await queries.segments(project)
        found += [Segment(project, name, kept) for name, kept in own.items() if of_all.get(name) != kept]
    return found


def check_name(name: str) -> None:
    """Refuse a name that nobody could read or ask for."""
    if not 1 <= len(name) <= MOST_NAME_CHARS or not name.isprintable() or name.strip() != name:
        raise QueryError(
            f"a segment's name has 1 to {MOST_NAME_CHARS} printable characters, and no space at its ends: {name[:80]!r}"
        )
