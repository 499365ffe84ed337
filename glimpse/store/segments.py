"""Saved filters: each has a name in its project, or for all of them.

Rule of this module: people read these names and type them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from glimpse.errors import QueryError

MOST_NAME_CHARS = 64


class Segment(msgspec.Struct, frozen=True):
    """One saved filter, as a back-up holds it: as JSON."""

    project: str  # "*": for all
    name: str
    filter: dict[str, Any]


def check_name(name: str) -> None:
    """Refuse a name that nobody could read or ask for."""
    if not 1 <= len(name) <= MOST_NAME_CHARS or not name.isprintable() or name.strip() != name:
        raise QueryError(
            f"a segment's name has 1 to {MOST_NAME_CHARS} printable characters, and no space at its ends: {name[:80]!r}"
        )
