"""The live page over another span than the window's: asked of the store, with who is here now laid over it.

Rule of this module: a span is asked about once for all who look at the same project through the same filter, only while
somebody does, and the more seldom the longer an answer takes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import msgspec

from glimpse.errors import GlimpseError
from glimpse.events import Event
from glimpse.filters import Condition, Field, Filter, Op
from glimpse.live import ALL_PROJECTS, LiveNumbers, PlaceNow, Ranked, Recent, Window
from glimpse.live.numbers import TOP, Minute
from glimpse.live.places import place_key
from glimpse.views.ask import Ask, Rows
from glimpse.views.board import Board, BoardSpan
from glimpse.views.chips import chips_of, joined
from glimpse.views.scope import Scope, span_of
from glimpse.views.tokens import OTHER_SLOT

log = logging.getLogger("glimpse.views")
LIVE = "30m"  # how an address says the live window
AGAIN_EVERY_S = 5.0  # where the span ends now and something has come
AGAIN_AT_LEAST_EVERY_S = 60.0
REST_FACTOR = 20  # of a question's time: so that long spans of busy sites leave the store to others
MOST_PLACES, MOST_PROJECTS = 20_000, 40
RECENT = 40  # as many as the feed shows
_boards: WeakKeyDictionary[Window, WeakValueDictionary[Any, SpanBoard]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Span:
    """A span as an address says it; `tz` is the zone that is looked through."""

    since: str
    until: str
    tz: str

    def scope(self, project: str, where: Filter | None) -> Scope:
        """Return what is asked about, if it is asked now."""
        since, until = span_of(self.since, self.until, self.tz, time.time_ns() // 1_000_000)
        return Scope(project, since, until, where, self.tz)


class SpanBoard:
    """One project's board of a span, as a filter keeps it.

    Attributes
    ----------
    version
        Grows with each answer.
    problem
        Why there is none; empty while there may be one.
    """

    def __init__(self, ask: Ask, project: str, where: Filter | None, span: Span) -> None:
        self.version = 0
        self.problem = ""
        self._ask = ask
        self._span = span
        self._about = (project, where)
        self._board: Board | None = None
        self._stored: LiveNumbers | None = None
        self._shown: tuple[LiveNumbers, LiveNumbers] | None = None  # which answer was laid under which live numbers
        self._heard = -1
        self._due_at = self._due_at_last = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_there(self) -> bool:
        """Whether there has been an answer."""
        return self._stored is not None

    def look(self, heard: int) -> int:
        """Ask, if that is due, and return the version.

        Parameters
        ----------
        heard
            What changes whenever something has come that may be of the span.
        """
        now = time.monotonic()
        if self._task is None and ((heard != self._heard and now >= self._due_at) or now >= self._due_at_last):
            self._heard = heard
            self._task = asyncio.get_running_loop().create_task(self._renew())
        return self.version

    def laid_under(self, live: Board) -> Board | None:
        """Return the span's board with who is here now; None until there is an answer."""
        if self._stored is None or self._board is None:
            return None
        before = self._shown
        if before is None or before[0] is not self._stored or before[1] is not live.numbers:
            self._shown = (self._stored, live.numbers)
            self._board.take(_laid_over(self._stored, live.numbers, goes_on=not self._span.until))
        return self._board

    async def _renew(self) -> None:
        began = time.monotonic()
        try:
            scope = self._span.scope(*self._about)
            (before,), projects, stored = await asyncio.gather(
                self._ask("totals", scope.before), _projects(self._ask, scope), _numbers(self._ask, scope)
            )
            goes_on = not self._span.until
            self._stored, self.problem = stored, ""
            self._board = self._board or Board(stored)
            self._board.span = BoardSpan(
                scope.since, scope.until, scope.unit, scope.tz, goes_on=goes_on, before=before, projects=projects
            )
        except (GlimpseError, OSError) as problem:
            self.problem = str(problem)
        except Exception:
            log.exception("the live page's span could not be asked for")
            self.problem = "The question could not be answered; the server's log says why."
        finally:
            took, now = time.monotonic() - began, time.monotonic()
            # A span that is over stays as it is, but for what comes late.
            rest_s = AGAIN_EVERY_S if self.problem else AGAIN_AT_LEAST_EVERY_S
            self._due_at_last = now + max(rest_s, REST_FACTOR * took)
            is_over = bool(self._span.until)
            self._due_at = self._due_at_last if is_over else now + max(AGAIN_EVERY_S, REST_FACTOR * took)
            self._task = None
            self.version += 1


def span_board_of(window: Window, ask: Ask, project: str, where: Filter | None, span: Span) -> SpanBoard:
    """Return the board of a span: the same for every viewer, for as long as somebody has it."""
    boards = _boards.setdefault(window, WeakValueDictionary())
    board = boards.get((project, where, span))
    if board is None:
        board = boards[project, where, span] = SpanBoard(ask, project, where, span)
    return board


async def _projects(ask: Ask, scope: Scope) -> Rows:
    """Return each project's counts, where all are looked at and nothing is filtered."""
    if scope.project != ALL_PROJECTS or scope.where is not None:
        return []
    rows = await ask("breakdown", scope, field="project", by="page_views", top=MOST_PROJECTS)
    return [row for row in rows if not row["is_other"]]


async def _numbers(ask: Ask, scope: Scope) -> LiveNumbers:
    """Return a span's numbers as the live page takes them."""
    (whole,), steps, names, *ranked, places, events = await asyncio.gather(
        ask("totals", scope),
        ask("series", scope, unit=scope.unit, tz=scope.tz),
        ask("breakdown", scope, field="name", by="events", top=OTHER_SLOT),
        ask("breakdown", scope, field="page", by="page_views", top=TOP),
        ask("breakdown", scope, field="session.source", by="sessions", top=TOP),
        ask("breakdown", scope, field="country", by="sessions", top=TOP),
        ask("places", scope, top=MOST_PLACES),
        ask("events", scope, limit=RECENT),
    )
    pages, sources, countries = (_ranked(rows, by) for rows, by in zip(ranked, _RANKED_BY, strict=True))
    top_names = _ranked(names, "events")
    return LiveNumbers(
        project=scope.project,
        version=0,
        as_of=scope.until,
        covers_since=scope.since,
        **whole,
        per_minute=await _steps(ask, scope, steps, [line.name for line in top_names if line.name]),
        top_names=top_names,
        top_pages=pages,
        top_sources=sources,
        top_countries=countries,
        places=[_place(row) for row in places if row["lat"] is not None],
        recent=[Recent(0, row["time"], msgspec.convert(row, Event)) for row in reversed(events)],
    )


_RANKED_BY = ("page_views", "sessions", "sessions")


def _ranked(rows: Rows, by: str) -> list[Ranked]:
    return [Ranked(row["value"], row[by]) for row in rows if row[by] and not row["is_other"]]


async def _steps(ask: Ask, scope: Scope, whole: Rows, names: list[str]) -> list[Minute]:
    """Return the counts of each step, the most frequent names told apart; the rest has the empty name."""
    asked = (
        ask("series", replace(scope, where=joined((*chips_of(scope.where), _is(name)))), unit=scope.unit, tz=scope.tz)
        for name in names
    )
    found = {
        name: {row["time"]: row["events"] for row in rows}
        for name, rows in zip(names, await asyncio.gather(*asked), strict=True)
    }
    steps = []
    for row in whole:
        by_name = {name: counts.get(row["time"], 0) for name, counts in found.items()}
        by_name[""] = max(0, row["events"] - sum(by_name.values()))
        kept = {name: n for name, n in by_name.items() if n}
        steps.append(Minute(row["time"], row["events"], row["page_views"], row["sessions"], by_name=kept))
    return steps


def _is(name: str) -> Filter:
    return Condition(Field("name"), Op.IS, (name,))


def _place(row: dict[str, Any]) -> PlaceNow:
    facts = {name: row[name] for name in ("lat", "lon", "city", "region", "country", "events")}
    key = place_key(row["lat"], row["lon"])
    return PlaceNow(key=key, **facts, count=row["sessions"], active=0, last_event_at=row["last"])


def _laid_over(stored: LiveNumbers, live: LiveNumbers, *, goes_on: bool) -> LiveNumbers:
    """Return a span's numbers; of one that ends now, with who is here, and with what has just come."""
    if not goes_on:
        return msgspec.structs.replace(stored, as_of=live.as_of)
    active = {place.key: place.active for place in live.places if place.active}
    fresh = {recent.event.id for recent in live.recent}
    return msgspec.structs.replace(
        stored,
        as_of=live.as_of,
        active=live.active,
        idle=live.idle,
        events_last_minute=live.events_last_minute,
        places=[_with_active(place, active.get(place.key, 0)) for place in stored.places],
        recent=[*(recent for recent in stored.recent if recent.event.id not in fresh), *live.recent],
    )


def _with_active(place: PlaceNow, active: int) -> PlaceNow:
    """Return a place with how many are active there, as many as there were at most; the same one where none are."""
    return msgspec.structs.replace(place, active=min(active, place.count)) if active else place
