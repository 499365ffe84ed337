"""`glimpse doctor`: looks at each thing that Glimpse needs, and says in one line what it found.

Rule of this package: looking changes nothing, and one thing's fault never hides another's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from glimpse.doctor import outside, parts, redis_server, site_check, trust
from glimpse.doctor.finding import Finding, Verdict, Word, wrong
from glimpse.doctor.site import Site
from glimpse.errors import GlimpseError
from glimpse.settings import Settings

__all__ = ["Finding", "Verdict", "examine"]

_Look = Callable[[Settings], Awaitable[Word]]
_PARTS: tuple[tuple[str, _Look], ...] = (
    ("data folder", parts.data_folder),
    ("buffer", redis_server.buffer),
    ("drains", redis_server.drains),
    ("store", parts.store),
    ("places", parts.places),
    ("tracker", parts.tracker),
    ("proxies", trust.proxies),
    ("books", parts.books),
)


async def examine(settings: Settings, url: str | None = None, page: str | None = None) -> list[Finding]:
    """Look at every part, in the order in which they stand on each other; then at Glimpse from outside, if named.

    With a page of a tracked site, look at that alone: it may be asked from anywhere.

    Raises
    ------
    SettingsError
        When the URL is no address of a site.
    """
    if page:
        return await site_check.examine(page)
    site = Site(url, settings) if url else None
    found = [await _look(part, look, settings) for part, look in _PARTS]
    return found + (await asyncio.to_thread(outside.examine, site) if site else [])


async def _look(part: str, look: _Look, settings: Settings) -> Finding:
    try:
        word = await look(settings)
    except (GlimpseError, OSError) as problem:
        word = wrong(str(problem))
    return Finding(part, *word)
