"""Glimpse from a notebook or a script: every view as an object, every number a table away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from glimpse.clock import steady_now_ms
from glimpse.filters import as_filter, from_json, to_text
from glimpse.frames import answer_frame, event_table
from glimpse.moments import moment

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from panel.viewable import Viewer

    from glimpse.filters import Filter, Where
    from glimpse.live import LiveNumbers, PipelineStatus, Window
    from glimpse.views.scope import Scope
    from glimpse.views.segment_menu import Saved

ALL_PROJECTS = "*"
_PAGE = 5_000
_AHEAD_MS = 24 * 3_600_000  # a client's clock may run ahead by that


class Running(Protocol):
    """What the client needs of a running Glimpse."""

    @property
    def url(self) -> str:
        """Where it listens."""
        ...

    @property
    def window(self) -> Window:
        """What is live."""
        ...

    def status(self) -> PipelineStatus:
        """Return how far behind the picture is."""
        ...

    def ask(self, question: str, **arguments: Any) -> list[dict[str, Any]]:
        """Ask a question of `glimpse.store.Queries` and wait for the rows."""
        ...

    def save_segment(self, project: str, name: str, where: Where | None) -> None:
        """Give a filter a name in a project."""
        ...

    def segments(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the saved filters that can be used for a project, as JSON."""
        ...

    @property
    def segment_changes(self) -> int:
        """How often saved filters have changed."""
        ...

    def filter_for(self, project: str, where: Where | None, segment: str | None) -> Filter | None:
        """Return what a filter and a saved one both keep."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class Client:
    """A running Glimpse in your hands. `glimpse.start()` makes one.

    Attributes
    ----------
    url
        Where sites send events, and where the SDK is: `<url>/sdk/glimpse.js`.
    """

    def __init__(self, running: Running) -> None:
        self._running = running
        self.url = running.url

    def __repr__(self) -> str:
        return f"<Glimpse at {self.url}>"

    # -- views ---------------------------------------------------------------------------------------------------

    def live_map(self, project: str | None = None, *, home: tuple[float, float] | None = None) -> Viewer:
        """Return the live map of a project; by default of the one heard last.

        Parameters
        ----------
        home
            Latitude and longitude in degrees of where arcs lead that the map then has, from each country.
        """
        from glimpse.views.live_map import LiveMap  # noqa: PLC0415 - views bring Panel, and events don't need it

        return LiveMap(self._running.window, project=self._project(project), home=home, arcs=home is not None)

    def dashboard(self, project: str | None = None, **chosen: str) -> Viewer:
        """Return the whole dashboard.

        Parameters
        ----------
        project
            Which one; by default the one heard last.
        chosen
            What else stands in a dashboard's address, such as `view="sessions"`, `since="7d"`,
            `where='country = "DE"'`; see docs/dashboard.md.
        """
        from glimpse.views.dashboard import Dashboard  # noqa: PLC0415

        running = self._running
        shown: dict[str, Any] = {"status": running.status, "ask": self._ask_for_views, "saved": self._saved(), **chosen}
        return Dashboard(running.window, project=self._project(project), **shown)

    def history(self, project: str | None = None, **chosen: str) -> Viewer:
        """Return the dashboard at its history. `chosen`: what `dashboard` takes, such as `since="7d"`."""
        return self.dashboard(project, view="history", **chosen)

    def explore(self, project: str | None = None, **chosen: str) -> Viewer:
        """Return the dashboard at funnels, retention and paths. `chosen`: what `dashboard` takes."""
        return self.dashboard(project, view="explore", **chosen)

    def performance(self, project: str | None = None, **chosen: str) -> Viewer:
        """Return the dashboard at web vitals and script errors. `chosen`: what `dashboard` takes."""
        return self.dashboard(project, view="performance", **chosen)

    async def _ask_for_views(self, question: str, scope: Scope, **arguments: Any) -> list[dict[str, Any]]:
        """Ask the store on a thread, as its answer is waited for there."""
        span = {"project": scope.project, "since": scope.since, "until": scope.until, "where": scope.where}
        return await asyncio.to_thread(self._running.ask, question, **span, **arguments)

    def _saved(self) -> Saved:
        from glimpse.views.segment_menu import Saved  # noqa: PLC0415

        running = self._running

        async def read(project: str) -> dict[str, dict[str, Any]]:
            return await asyncio.to_thread(running.segments, project)

        async def write(project: str, name: str, where: Filter | None) -> None:
            await asyncio.to_thread(running.save_segment, project, name, where)

        return Saved(read, write, may_change=True, changes=lambda: running.segment_changes)

    def kpis(self, project: str | None = None) -> Viewer:
        """Return the tiles of the most important numbers."""
        from glimpse.views.kpis import Kpis  # noqa: PLC0415

        return Kpis(self._running.window, project=self._project(project))

    def feed(self, project: str | None = None) -> Viewer:
        """Return the list of events as they come."""
        from glimpse.views.feed import Feed  # noqa: PLC0415

        return Feed(self._running.window, project=self._project(project))

    def timeline(self, project: str | None = None) -> Viewer:
        """Return events a minute over the last half hour."""
        from glimpse.views.timeline import Timeline  # noqa: PLC0415

        return Timeline(self._running.window, project=self._project(project))

    def _project(self, project: str | None) -> str:
        if project:
            return project
        return next(iter(self.projects()), ALL_PROJECTS)

    # -- data ----------------------------------------------------------------------------------------------------

    def projects(self) -> list[str]:
        """Return the projects with events in the last half hour, or else those that the store knows; latest first."""
        return self._running.window.projects() or [row["project"] for row in self._running.ask("projects")]

    def events(
        self,
        project: str = ALL_PROJECTS,
        since: str | int = "1h",
        until: str | int | None = None,
        limit: int = 100_000,
        where: Where | None = None,
        segment: str | None = None,
    ) -> ir.Table:
        """Return stored events as an Ibis table, newest first: `.to_pandas()`, `.to_pyarrow()`, `.filter(...)`.

        An event is stored within five seconds of its arrival.

        Parameters
        ----------
        project
            One project; all by default.
        since, until
            A span back from now such as `90m`, `24h` or `7d`, an ISO 8601 time, or epoch milliseconds; half-open.
            Without `until`, to the newest.
        limit
            The most events; the newest are kept.
        where
            Which ones: `'country = "DE" and page starts with "/blog"'`, or
            `(field("country") == "DE") & field("page").starts_with("/blog")` with `glimpse.filters.field`.
        segment
            The name of a saved filter; what is kept, both it and `where` keep.
        """
        begin, end = _span(since, until)
        rows = self._pages(project, begin, end, limit, self._running.filter_for(project, where, segment))
        return event_table(rows)

    def live(self, project: str = ALL_PROJECTS, where: Where | None = None, segment: str | None = None) -> LiveNumbers:
        """Return what is happening now, the numbers that the dashboard shows; arguments are as `events` takes them.

        Returns
        -------
        Counts such as `active` and `events`, lists such as `top_pages`; docs/metrics.md has the formula of each. It is
        a picture of one moment, and does not go on by itself.
        """
        window, kept = self._running.window, self._running.filter_for(project, where, segment)
        while not window.fill(project, kept):
            pass
        return window.numbers(project, kept)

    def ask(
        self,
        question: str,
        project: str = ALL_PROJECTS,
        since: str | int = "24h",
        until: str | int | None = None,
        where: Where | None = None,
        segment: str | None = None,
        **arguments: Any,
    ) -> pd.DataFrame:
        """Return the answer to any question as a frame: see docs/questions.md for their names, arguments and columns.

        Parameters
        ----------
        question
            Its name, such as `comparison`, `paths`, `vitals`.
        project, since, until, where
            As `events` takes them; 24 hours by default.
        segment
            The name of a saved filter.
        arguments
            The question's own.

        Returns
        -------
        Its columns; those with times as timestamps, UTC.
        """
        begin, end = _span(since, until)
        span: Any = {"project": project, "since": begin, "until": end, "where": as_filter(where)}
        return answer_frame(self._running.ask(question, **span, segment=segment, **arguments))

    def series(self, unit: str = "hour", tz: str = "UTC", **span: Any) -> pd.DataFrame:
        """Return counts by minute, hour, day, week or month of a time zone. `span`: what `ask` takes."""
        until: Any = {} if "until" in span else {"until": steady_now_ms()}  # what is ahead has nothing yet
        return self.ask("series", unit=unit, tz=tz, **until, **span)

    def breakdown(self, field: str, top: int = 10, by: str = "events", **span: Any) -> pd.DataFrame:
        """Return counts by the values of a field: the most frequent, and all others. `span`: what `ask` takes."""
        return self.ask("breakdown", field=field, top=top, by=by, **span)

    def sessions(self, limit: int = 10_000, **span: Any) -> pd.DataFrame:
        """Return sessions, newest first; a filter keeps those with an event that it keeps. `span`: what `ask` takes."""
        return self.ask("sessions", limit=limit, **span)

    def journey(self, session: str, **span: Any) -> pd.DataFrame:
        """Return one session's events in the order in which they happened, from `session_id` of an event."""
        whenever: Any = {"since": 0}
        return self.ask("journey", session=session, **(whenever | span))

    def funnel(self, steps: list[Where], within_s: float | None = None, **span: Any) -> pd.DataFrame:
        """Return how many sessions come to each of some steps, given as filters. `span`: what `ask` takes."""
        return self.ask("funnel", steps=steps, within_s=within_s, **span)

    def segment(self, name: str, where: Where | None, project: str = ALL_PROJECTS) -> None:
        """Give a filter a name, to be used as `segment=`; None forgets it. By default it is for all projects."""
        self._running.save_segment(project, name, as_filter(where))

    def segments(self, project: str = ALL_PROJECTS) -> dict[str, str]:
        """Return the saved filters that can be used for a project, by name, as text."""
        return {name: to_text(from_json(kept)) for name, kept in self._running.segments(project).items()}

    def _pages(self, project: str, since: int, until: int, limit: int, where: Filter | None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after: str | None = None
        while len(rows) < limit:
            wanted = min(_PAGE, limit - len(rows))
            span: Any = {"project": project, "since": since, "until": until, "where": where}
            page = self._running.ask("events", **span, limit=wanted, after=after)
            rows += page
            if len(page) < wanted:
                break
            after = f"{page[-1]['time']}:{page[-1]['id']}"
        return rows

    # -- life ----------------------------------------------------------------------------------------------------

    @property
    def status(self) -> PipelineStatus:
        """How far behind the picture is."""
        return self._running.status()

    def stop(self) -> None:
        """Store what has arrived, and end it."""
        self._running.stop()


def _span(since: str | int, until: str | int | None) -> tuple[int, int]:
    now = steady_now_ms()
    return moment(since, "since", now), now + _AHEAD_MS if until is None else moment(until, "until", now)
