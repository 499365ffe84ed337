"""All routes but the dashboard, for a Tornado application.

The edge's endpoints stand in `endpoints.py`; here are those that read and tell, as one table of patterns without the
prefix that a server is mounted at.
"""

from __future__ import annotations

from tornado.routing import AnyMatches, PathMatches, Rule
from tornado.web import RequestHandler

from glimpse.collect.api_document import DocumentHandler, DocumentPageHandler
from glimpse.collect.file_routes import DemoHandler, SdkHandler
from glimpse.collect.files import SDK_NAME
from glimpse.collect.live_routes import LiveHandler
from glimpse.collect.log_filter import hide_addresses
from glimpse.collect.parts import Parts
from glimpse.collect.question_routes import ASKED_BY_NAME, QuestionHandler
from glimpse.collect.read_routes import LedgerHandler, MetricsHandler, NothingHandler, SegmentsHandler
from glimpse.collect.rows_routes import JourneyHandler, SessionsHandler, StoredEventsHandler
from glimpse.collect.status_routes import CheckHandler, NowhereHandler, ReadyHandler, RootHandler
from glimpse.collect.stream_routes import StreamHandler
from glimpse.collect.tornado_edge import EdgeRouter

__all__ = ["Parts", "routes"]

ROUTES: tuple[tuple[str, type[RequestHandler]], ...] = (
    (r"/api/v1/events", StoredEventsHandler),
    (r"/api/v1/sessions", SessionsHandler),
    (r"/api/v1/sessions/([^/]+)", JourneyHandler),
    (rf"/api/v1/({'|'.join(ASKED_BY_NAME)})", QuestionHandler),
    (r"/api/v1/openapi.json", DocumentHandler),
    (r"/api/docs", DocumentPageHandler),
    (r"/api/v1/live", LiveHandler),
    (r"/api/v1/stream", StreamHandler),
    (r"/api/v1/ledger", LedgerHandler),
    (r"/api/v1/segments", SegmentsHandler),
    (r"/api/v1(?:/.*)?", NothingHandler),
    (r"/?", RootHandler),  # below a prefix, also without the slash at its end
    (r"/check", CheckHandler),
    (r"/health/ready", ReadyHandler),
    (r"/metrics", MetricsHandler),
    (rf"/sdk/({SDK_NAME})", SdkHandler),
    (r"/demo(?:/?|/([0-9A-Za-z._-]+)|/.*)", DemoHandler),
)


def routes(parts: Parts, prefix: str = "") -> list[Rule]:
    """Return the rules of a Tornado application that is to serve these parts below a prefix."""
    hide_addresses()  # whatever server it is: no address goes to a log
    told = [Rule(PathMatches(prefix + pattern), handler, {"parts": parts}) for pattern, handler in ROUTES]
    nowhere = Rule(PathMatches(r".*%00.*"), NowhereHandler, {"parts": parts})
    return [Rule(AnyMatches(), EdgeRouter(parts, prefix)), nowhere, *told]
