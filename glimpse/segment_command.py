"""`glimpse segment`: saved filters, beside the process that owns the store, or alone when there is none."""

from __future__ import annotations

from glimpse.errors import QueryError
from glimpse.filters import as_filter, from_json, to_text
from glimpse.settings import Settings
from glimpse.store_doors import queries_of


async def show(settings: Settings, project: str) -> str:
    """Return the saved filters that can be used for a project, or all that there are."""
    async with queries_of(settings) as queries:
        if project == "*":
            found = [(one.project, one.name, one.filter) for one in await queries.every_segment()]
        else:
            found = [(project, name, kept) for name, kept in (await queries.segments(project)).items()]
    if not found:
        return "No segment is saved yet; `glimpse segment set NAME FILTER` saves one."
    rows = [(owner, name, to_text(from_json(kept))) for owner, name, kept in found]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{owner:{widths[0]}}  {name:{widths[1]}}  {where}" for owner, name, where in rows)


async def save(settings: Settings, project: str, name: str, where: str) -> str:
    """Give a filter a name; return what to print."""
    kept = as_filter(where)
    if kept is None:
        raise QueryError('a segment is a filter, such as country = "DE"; `glimpse segment rm` forgets one')
    async with queries_of(settings, may_make_folder=True) as queries:
        await queries.save_segment(project, name, kept)
    return f"{name}: {to_text(kept)}\nIt can be used as segment={name} in {_place(project)}."


async def remove(settings: Settings, project: str, name: str) -> str:
    """Forget a name; return what to print."""
    async with queries_of(settings) as queries:
        saved = {one.name for one in await queries.every_segment() if one.project == project}
        if name not in saved:
            known = ", ".join(sorted(saved)) or "none"
            raise QueryError(f"there is no segment {name[:64]!r} of {_place(project)}; there are {known}")
        await queries.save_segment(project, name, None)
    return f"{name} is forgotten."


def _place(project: str) -> str:
    return "all projects" if project == "*" else project
