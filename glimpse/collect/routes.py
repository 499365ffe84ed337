"""All routes but the dashboard: one table, patterns without the prefix that a server is mounted at."""

from __future__ import annotations

from typing import Any

from tornado.web import RequestHandler

from glimpse.collect.event_route import EventHandler
from glimpse.collect.files import DemoHandler, SdkHandler
from glimpse.collect.log_filter import hide_addresses
from glimpse.collect.parts import Parts
from glimpse.collect.read_routes import LedgerHandler, LiveHandler, MetricsHandler, StoredEventsHandler
from glimpse.collect.status_routes import CheckHandler, ReadyHandler, RootHandler

__all__ = ["Parts", "routes"]


class EventsHandler(EventHandler, StoredEventsHandler):
    """`/api/v1/events`: POST takes events as `/event` does, GET reads stored ones."""

    def prepare(self) -> None:
        """Guard what is read; anybody may send."""
        if self.request.method in ("POST", "OPTIONS"):
            EventHandler.prepare(self)
        else:
            StoredEventsHandler.prepare(self)

    def data_received(self, chunk: bytes) -> None:
        """Take a body where one belongs."""
        if self.request.method == "POST":
            EventHandler.data_received(self, chunk)


ROUTES: tuple[tuple[str, type[RequestHandler]], ...] = (
    (r"/event", EventHandler),
    (r"/api/v1/events", EventsHandler),
    (r"/api/v1/live", LiveHandler),
    (r"/api/v1/ledger", LedgerHandler),
    (r"/?", RootHandler),  # below a prefix, also without the slash at its end
    (r"/check", CheckHandler),
    (r"/health/ready", ReadyHandler),
    (r"/metrics", MetricsHandler),
    (r"/sdk/(glimpse(?:-[0-9A-Za-z.+-]+)?\.m?js)", SdkHandler),
    (r"/demo(?:/?|/([0-9A-Za-z._-]+)|/.*)", DemoHandler),
)


def routes(parts: Parts) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """Return the table for a Tornado application that is to serve these parts."""
    hide_addresses()  # whatever server it is: no address goes to a log
    return [(pattern, handler, {"parts": parts}) for pattern, handler in ROUTES]
