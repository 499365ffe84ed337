"""Glimpse from a notebook or a script: every view as an object, every number a table away."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from glimpse.errors import QueryError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from panel.viewable import Viewer

    from glimpse.live import PipelineStatus, Window

ALL_PROJECTS = "*"
_PAGE = 5_000
_AHEAD_MS = 24 * 3_600_000  # a client's clock may run ahead by that
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN = re.compile(r"(\d+)\s*([smhd])")


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

    def ask(self, question: str, *arguments: Any, **options: Any) -> Any:
        """Ask a question of `glimpse.store.Queries` and wait for the answer."""
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

    def live_map(self, project: str | None = None) -> Viewer:
        """Return the live map of a project; by default of the one heard last."""
        from glimpse.views.live_map import LiveMap  # noqa: PLC0415 - views bring Panel, and events don't need it

        return LiveMap(self._running.window, project=self._project(project))

    def dashboard(self, project: str | None = None) -> Viewer:
        """Return the whole dashboard."""
        from glimpse.views.dashboard import Dashboard  # noqa: PLC0415

        return Dashboard(self._running.window, project=self._project(project), status=self._running.status)

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
        return self._running.window.projects() or self._running.ask("projects")

    def events(
        self,
        project: str = ALL_PROJECTS,
        since: str | int = "1h",
        until: str | int | None = None,
        limit: int = 100_000,
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
        """
        import ibis  # noqa: PLC0415 - only who asks pays for it

        rows = self._pages(project, moment(since), moment(until) if until is not None else _now() + _AHEAD_MS, limit)
        return ibis.memtable(_columns(rows))

    def _pages(self, project: str, since: int, until: int, limit: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after: str | None = None
        while len(rows) < limit:
            wanted = min(_PAGE, limit - len(rows))
            page = self._running.ask("events", project, since, until, limit=wanted, after=after)
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


def moment(value: str | int) -> int:
    """Return epoch milliseconds of `90m`, `24h` (back from now), an ISO 8601 time (UTC without a zone), or a number.

    Raises
    ------
    QueryError
        For anything else.
    """
    if isinstance(value, int):
        return value
    if span := _SPAN.fullmatch(value.strip()):
        return _now() - int(span[1]) * _UNITS_MS[span[2]]
    if value.strip().isdigit():
        return int(value)
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise QueryError(f"{value!r} is no time; use 90m, 24h, 7d, ISO 8601 or epoch milliseconds") from None
    return round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _columns(rows: list[dict[str, Any]]) -> Any:
    """Return rows as a frame with every column there, also without rows; times as timestamps, UTC."""
    import pandas as pd  # noqa: PLC0415

    from glimpse.events import Event  # noqa: PLC0415

    frame = pd.DataFrame(rows, columns=list(Event.__struct_fields__))
    for name in ("time", "received_at"):
        frame[name] = pd.to_datetime(frame[name].astype("int64"), unit="ms", utc=True)
    for name in ("properties", "context"):
        frame[name] = [_as_json(value) for value in frame[name]]
    for name in frame.columns.difference(["time", "received_at", "lat", "lon"]):
        frame[name] = frame[name].astype("string")
    return frame.astype({"lat": "float64", "lon": "float64"})


def _as_json(value: Any) -> str:
    import msgspec  # noqa: PLC0415

    return msgspec.json.encode(value).decode()
