"""Saved segments: filters with names. A menu lists them, and a chip names the one that is looked through.

Rule of this module: a name is what somebody typed, and what it stands for is what the store says, never the browser.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import param

from glimpse.errors import GlimpseError, QueryError
from glimpse.filters import Filter, from_json, to_json, to_text
from glimpse.live import ALL_PROJECTS
from glimpse.views.parts import Picture, script, style

log = logging.getLogger("glimpse.views")
READ_AGAIN_EVERY_S = 30.0  # another process may have changed the one that is looked through
TRY_AGAIN_AFTER_S = 5.0
MOST = 200  # of one project
_encode = msgspec.json.Encoder().encode
Kept = dict[str, dict[str, Any]]
_NOT_FROM_HERE = "Segments are saved in a browser on the server's own machine, or in a notebook."


class Saved(NamedTuple):
    """How saved filters are read and written, and whether this viewer may write.

    Attributes
    ----------
    read
        Returns those that can be used for a project: name -> filter as JSON. Those of `*` are for all.
    write
        Gives a filter a name in a project; None takes the name away.
    changes
        How often any has changed through this process; asked with each look.
    """

    read: Callable[[str], Awaitable[Kept]]
    write: Callable[[str, str, Filter | None], Awaitable[None]]
    may_change: bool = False
    changes: Callable[[], int] = lambda: 0


class SegmentMenu(Picture):
    """The menu of a project's segments.

    Parameters
    ----------
    saved
        Where they are kept.
    project
        Whose.

    Attributes
    ----------
    filter
        What the one that is applied stands for; None for all, and when there is none of the name.
    """

    segment = param.String("", doc="The name of the one that is applied; empty for none.")
    saves = param.String("", doc="What would be saved, as text; empty for nothing.")
    asked = param.String("", doc="What the browser asks for, as JSON.")
    problem = param.String("", doc="Why it could not be done.")
    told = param.String("", doc="What was done.")
    _esm = script("segment_menu")
    _stylesheets = style("segment_menu")

    def __init__(self, saved: Saved, project: str = ALL_PROJECTS, **params: Any) -> None:
        super().__init__(**params)
        self.filter: Filter | None = None
        self.project = project
        self.kept_now: Callable[[], Filter | None] = lambda: self.filter  # what is saved under a new name
        self._saved = saved
        self._known: Kept = {}
        self._of_all: frozenset[str] = frozenset()
        self._read_for: str | None = None
        self._read_next = 0.0
        self._changes_read = -1
        self._has_waited = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._takers: list[Callable[[Filter | None], None]] = []
        self._openers: list[Callable[[Filter | None], None]] = []
        self.param.watch(lambda _: self._resolve(), "segment")
        self.param.watch(lambda change: self._take(change.new), "asked")
        self._draw()

    @property
    def is_waiting(self) -> bool:
        """Whether it is not known yet what the one that is applied stands for."""
        return bool(self.segment) and self._read_for != self.project

    def on_change(self, take: Callable[[Filter | None], None]) -> None:
        """Call with each other filter that is to be looked through."""
        self._takers.append(take)

    def on_open(self, put: Callable[[Filter | None], None]) -> None:
        """Call with conditions that are to stand in the bar, in place of what stands there."""
        self._openers.append(put)

    def look(self) -> None:
        """Read what is saved, if another project is shown, it has changed or was long ago. Called again and again."""
        self._has_waited |= self.is_waiting
        has_changed = self._saved.changes() != self._changes_read
        is_old = bool(self.segment) and (has_changed or time.monotonic() >= self._read_next)
        if (self._read_for != self.project or is_old) and not self._tasks:
            self._start(self._read())

    def stop(self) -> None:
        """Wait for nothing any more."""
        for task in self._tasks:
            task.cancel()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _start(self, work: Any) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a script: nothing runs that could answer
            work.close()
            return
        task = loop.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (GlimpseError, OSError) as problem:
            self.param.update(problem=str(problem), told="")
        except Exception:
            log.exception("the segments' menu failed")
            self.param.update(problem="That could not be done; the server's log says why.", told="")

    async def _read(self) -> None:
        project = self.project
        known: Kept = {}
        of_all: Kept = {}
        self._read_next = time.monotonic() + TRY_AGAIN_AFTER_S
        self._changes_read = self._saved.changes()  # what changes from now on is read again
        try:
            known = await self._saved.read(project)
            of_all = known if project == ALL_PROJECTS else await self._saved.read(ALL_PROJECTS)
            self._read_next = time.monotonic() + READ_AGAIN_EVERY_S
        finally:  # without an answer it is as if there were none, and that is told
            if project == self.project:
                self._known, self._read_for = known, project
                self._of_all = frozenset(name for name, kept in of_all.items() if known.get(name) == kept)
                self._resolve()

    def _resolve(self) -> None:
        """Take up what the name that is applied stands for."""
        if self.is_waiting:
            self._has_waited = True
            self._draw()
            return
        found, problem = None, ""
        if self.segment and self.segment not in self._known:
            problem = f"There is no segment “{self.segment[:64]}” here, so nothing is filtered by it."
        elif self.segment:
            try:
                found = from_json(self._known[self.segment])
            except QueryError as mistake:
                problem = f"The segment “{self.segment[:64]}” can't be used: {mistake}"
        self.problem = problem
        is_other = found != self.filter or self._has_waited  # who waited is told in any case
        self.filter, self._has_waited = found, False
        self._draw()
        if is_other:
            for take in self._takers:
                take(found)

    def _draw(self) -> None:
        names = [
            {"name": name, "of_all": name in self._of_all, "text": _text_of(kept)} for name, kept in self._known.items()
        ]
        self.state = _encode(
            {
                "segments": sorted(names, key=lambda one: str(one["name"]).casefold()),
                "applied": self.segment,
                "is_waiting": self.is_waiting,
                "is_known": self.filter is not None or self.is_waiting,
                "may_change": self._saved.may_change,
                "is_all": self.project == ALL_PROJECTS,
            }
        ).decode()

    # -- what is asked for -------------------------------------------------------------------------------------------

    def _take(self, asked: str) -> None:
        try:
            what = msgspec.json.decode(asked, type=dict[str, Any])
        except msgspec.MsgspecError:  # no browser of ours says that
            return
        self.param.update(problem="", told="")
        match what:
            case {"do": "read"}:
                self._start(self._read())
            case {"do": "apply", "name": str(name)} if name in self._known:
                self.segment = name
            case {"do": "drop"}:
                self.segment = ""
            case {"do": "open"} if self.filter is not None:
                self._open()
            case {"do": "save", "name": str(name)}:
                self._start(self._save(name.strip()))
            case {"do": "rename", "name": str(name), "to": str(to)} if to.strip() != name:
                self._start(self._name_anew(name, to.strip()))
            case {"do": "remove", "name": str(name)}:
                self._start(self._remove(name))

    def _open(self) -> None:
        """Let the conditions stand in the bar, where they can be changed."""
        where = self.kept_now()
        for put in self._openers:
            put(where)
        self.segment = ""

    async def _save(self, name: str) -> None:
        where = self.kept_now()
        self._check(name)
        if where is None:
            raise QueryError("There is nothing to save: put a condition into the bar first.")
        if name not in self._known and len(self._known) >= MOST:
            raise QueryError(f"A project has at most {MOST} segments; remove one first.")
        await self._saved.write(self.project, name, where)
        self._known = {**self._known, name: to_json(where)}
        self._of_all -= {name}
        if self.segment == name:
            self._resolve()
        self.segment = name
        for put in self._openers:
            put(None)
        self.param.update(problem="", told=f"Saved as “{name}”.")

    async def _name_anew(self, name: str, to: str) -> None:
        self._check(to)
        self._check_own(name)
        if to in self._known:
            raise QueryError(f"There is a segment “{to}” already.")
        await self._saved.write(self.project, to, from_json(self._known[name]))
        await self._saved.write(self.project, name, None)
        self._known = {to if one == name else one: kept for one, kept in self._known.items()}
        self._draw()
        if self.segment == name:
            self.segment = to
        self.told = f"Renamed to “{to}”."

    async def _remove(self, name: str) -> None:
        self._check_own(name)
        await self._saved.write(self.project, name, None)
        if self.segment == name:
            self.segment = ""
        await self._read()
        self.told = f"Removed “{name}”."

    def _check(self, name: str) -> None:
        if not self._saved.may_change:
            raise QueryError(_NOT_FROM_HERE)
        if self.project == ALL_PROJECTS:
            raise QueryError("A segment belongs to a project: choose one first.")
        if not name:
            raise QueryError("A segment needs a name.")

    def _check_own(self, name: str) -> None:
        self._check(name)
        if name not in self._known or name in self._of_all:
            raise QueryError(f"“{name[:64]}” is no segment of this project, so it is not changed here.")


def _text_of(kept: dict[str, Any]) -> str:
    try:
        return to_text(from_json(kept))
    except QueryError:
        return ""
