"""What the routes are given, once; and the form all of their handlers share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec
from tornado.web import HTTPError, RequestHandler

from glimpse.buffer import EventBuffer
from glimpse.collect.access import REFUSAL, may_look
from glimpse.collect.answers import JSON
from glimpse.collect.core import Edge
from glimpse.collect.endpoints import CORS
from glimpse.collect.metrics import Metrics
from glimpse.collect.segment_watch import SegmentWatch
from glimpse.collect.stream import Streams
from glimpse.errors import BufferUnavailable, QueryError, StoreError, TooManyFilters
from glimpse.settings import Settings

if TYPE_CHECKING:  # an edge alone needs neither window nor store
    from glimpse.live import Window
    from glimpse.store import Queries
    from glimpse.transfer import Outlet

log = logging.getLogger("glimpse.collect")

PROBLEM = "application/problem+json"


@dataclass
class Parts:
    """The parts that routes use; `queries`, `outlet` and `dashboard_path` may change while the server runs."""

    settings: Settings
    edge: Edge
    buffer: EventBuffer
    window: Window
    queries: Queries
    outlet: Outlet
    health: Callable[[], dict[str, str | None]]  # a part's name -> its problem
    dashboard_path: str = "/glimpse_app"  # with the prefix that the server is mounted at
    streams: Streams = field(init=False)
    segment_watch: SegmentWatch = field(init=False)

    def __post_init__(self) -> None:
        """Make what is shared by those who read a stream."""
        self.streams = Streams(self.window)
        self.segment_watch = SegmentWatch(lambda: self.queries)

    @property
    def root(self) -> str:
        """The path that the server is mounted at, without a slash at its end: "" or "/stats"."""
        return self.dashboard_path.rpartition("/")[0]

    @property
    def metrics(self) -> Metrics:
        """The registry behind `/metrics`; parts add themselves with `gauge_from` and `counter_from`."""
        return self.edge.metrics


class Handler(RequestHandler):
    """A handler whose every answer is JSON, its errors too, and which logs no address and no query."""

    parts: Parts

    def initialize(self, parts: Parts) -> None:
        """Take the parts."""
        self.parts = parts

    def set_default_headers(self) -> None:
        """Say nothing about the server, and let no browser guess a type."""
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")

    def check_xsrf_cookie(self) -> None:
        """Ask for no token: no route acts on a cookie."""

    def answer(self, body: Any, status: int = HTTPStatus.OK, content_type: str = JSON) -> None:
        """Send a value as JSON that no cache keeps."""
        self.set_status(status)
        self.set_header("Content-Type", content_type)
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(body))

    def refuse(self, status: int, message: str, path: str = "") -> None:
        """Send an error as JSON."""
        self.answer({"success": False, "errors": [{"path": path, "message": message}]}, status)

    def write_error(self, status_code: int, **_details: Any) -> None:
        """Answer what went wrong unexpectedly, or a method that is not there, without a traceback."""
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(m for m in ("GET", "HEAD", "POST", "OPTIONS") if self._allows(m)))
        self.refuse(status_code, HTTPStatus(status_code).phrase)

    def _allows(self, method: str) -> bool:
        return getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log without the request's summary, which would name the client's address."""
        if typ and value and not isinstance(value, HTTPError):
            log.error("%s %s failed", self.request.method, self.request.path, exc_info=(typ, value, tb))


def allow_every_origin(handler: Handler) -> None:
    """Let pages of any site ask, without credentials, and read what the answer says."""
    for name, value in CORS.items():
        handler.set_header(name, value)


def problem_of(status: int, message: str) -> dict[str, Any]:
    """Return a problem document."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": message}


class ProblemHandler(Handler):
    """A handler whose errors are problem documents (RFC 9457)."""

    def refuse(self, status: int, message: str, path: str = "") -> None:  # noqa: ARG002 - questions have one place
        """Send an error as a problem document."""
        self.answer(problem_of(status, message), status, PROBLEM)


class ReadHandler(ProblemHandler):
    """A handler that shows what visitors did: only to those who may look.

    No cross-origin header is sent: else any page in a local browser could read through the loopback rule.
    """

    takes: tuple[str, ...] | None = None  # the parameters that there are; None: who answers looks at them
    _answering: asyncio.Task[None] | None = None

    async def while_asked(self, answering: Coroutine[Any, Any, None]) -> None:
        """Answer for as long as who asked is there: what is under way for somebody who has left is ended."""
        self._answering = asyncio.get_running_loop().create_task(answering)
        try:
            await asyncio.wait([self._answering])
        finally:
            self._answering.cancel()
        if not self._answering.cancelled():
            self._answering.result()

    def on_connection_close(self) -> None:
        """End what nobody waits for any more."""
        super().on_connection_close()
        if self._answering is not None:
            self._answering.cancel()

    def prepare(self) -> None:
        """Refuse those who may not look, and a slip, which would be answered with too much."""
        if not may_look(self.request, self.parts.settings):
            self.refuse(HTTPStatus.FORBIDDEN, REFUSAL)
            return
        for name, values in self.request.query_arguments.items():
            if len(values) > 1:
                raise QueryError(f"{name[:80]} stands there {len(values)} times; conditions are joined by and, or")
            if self.takes is not None and name not in self.takes:
                raise QueryError(f"there is no parameter {name[:80]!r}; there are {', '.join(self.takes)}")

    def write_error(self, status_code: int, **details: Any) -> None:
        """Answer a mistake in the question with 400, and a store that is away with 503."""
        problem = details.get("exc_info", (None, None, None))[1]
        if isinstance(problem, QueryError):
            self.refuse(HTTPStatus.BAD_REQUEST, str(problem))
        elif isinstance(problem, TooManyFilters):
            self.set_header("Retry-After", "5")
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(problem))
        elif isinstance(problem, StoreError | BufferUnavailable):
            self.set_header("Retry-After", "2")
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the store can't answer at the moment; see /health/ready")
        elif isinstance(problem, HTTPError) and problem.log_message:  # ours, or Tornado's for what is no UTF-8
            self.refuse(status_code, str(problem.get_message()))
        else:
            super().write_error(status_code, **details)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what was not expected."""
        if not isinstance(value, QueryError | StoreError | BufferUnavailable | TooManyFilters):
            super().log_exception(typ, value, tb)
