"""What is at a path of the collector: the edge's endpoints, and a few pages about the collector itself."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus

import msgspec

from glimpse.collect.access import REFUSAL, is_allowed
from glimpse.collect.answers import Answer, failure, with_headers
from glimpse.collect.core import Edge
from glimpse.collect.endpoints import CORS, Resource, preflight
from glimpse.collect.files import FOR_EVERY_SITE, SDK_NAME, sdk_answer
from glimpse.collect.metrics import CONTENT_TYPE
from glimpse.collect.request import Request
from glimpse.collect.server.exchange import Exchange
from glimpse.collect.server.heads import Head
from glimpse.settings import Settings

log = logging.getLogger("glimpse.collect")

# What a page's script must not learn of its own request.
_NEVER_SHOWN = frozenset({"Cookie", "Authorization", "Proxy-Authorization"})
_NOT_KEPT = {"Cache-Control": "no-store"}
_SDK = re.compile(f"/sdk/({SDK_NAME})")
_READS = ("GET", "HEAD")


class Site:
    """Has each request answered.

    Parameters
    ----------
    edge
        Takes the events.
    settings
        All of them.
    health
        Says why each part that is needed does not work, None where it does.
    counts
        Returns what `/metrics` shows.
    """

    def __init__(
        self,
        edge: Edge,
        settings: Settings,
        health: Callable[[], Mapping[str, str | None]],
        counts: Callable[[], bytes],
    ) -> None:
        self._edge = edge
        self._settings = settings
        self._health = health
        self._counts = counts
        self._pages: dict[str, Callable[[Request], Answer]] = {
            "": self._root,
            "/check": self._check,
            "/health/ready": self._ready,
            "/metrics": self._metrics,
        }

    def take(self, exchange: Exchange, head: Head, body: bytes) -> None:
        """Answer a request, at once or when its events are written. Nothing that a client sends raises.

        Parameters
        ----------
        head
            What it says besides its body.
        body
            Whole, or empty if it was larger than is allowed.
        """
        try:
            target, dialect, peer = head.target, head.dialect, exchange.connection.peer
            request = Request(body, head.headers, peer, head.method, target.path, target.query, target.names)
            if dialect and head.size <= self._settings.max_body_bytes:
                exchange.for_every_site = True
                self._edge.receive(request, dialect, exchange.done)
            elif target.resource:
                exchange.for_every_site = True
                self._enter(exchange, request, target.resource, head.size)
            else:
                exchange.done(self._page(request))
        except Exception:  # whatever it is, the client hears of it and the server goes on
            log.exception("a %s request failed", exchange.method)
            if exchange.response is None:
                exchange.done(failure(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR.phrase))

    def _enter(self, exchange: Exchange, request: Request, resource: Resource, size: int) -> None:
        endpoint = resource.endpoint(request.method)
        if endpoint is None:
            exchange.done(
                preflight(request.headers, resource.methods)
                if request.method == "OPTIONS"
                else _not_so(resource.methods)
            )
        elif endpoint.reply:
            exchange.done(endpoint.reply(request, self._settings))
        elif endpoint.dialect:
            self._edge.refuse_size(request, endpoint.dialect, size, exchange.done)

    # -- pages -----------------------------------------------------------------------------------------------------

    def _page(self, request: Request) -> Answer:
        sdk = _SDK.fullmatch(request.path)
        page = self._pages.get(request.path.rstrip("/"))
        if not (page or sdk):
            return failure(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase, _NOT_KEPT)
        if sdk and request.method == "OPTIONS":
            return with_headers(preflight(request.headers, _READS), FOR_EVERY_SITE)
        if request.method not in _READS:
            return _not_so(_READS)
        return page(request) if page else sdk_answer(sdk[1], request.headers) if sdk else _not_so(())

    def _check(self, _request: Request) -> Answer:
        return _told({"status": "ok"}, dict(CORS))

    def _ready(self, _request: Request) -> Answer:
        problems = self._health()
        is_ready = not any(problems.values())
        shown = {part: problem or "ok" for part, problem in problems.items()}
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _told({"status": "ready" if is_ready else "not ready", "parts": shown}, {}, status)

    def _root(self, request: Request) -> Answer:
        client = self._edge.addresses.client_of(request.peer, request.headers)
        headers = {name: value for name, value in request.headers.items() if name not in _NEVER_SHOWN}
        return _told({"ip": client.text, "headers": headers}, dict(CORS))

    def _metrics(self, request: Request) -> Answer:
        if not is_allowed(request.peer, request.headers, self._settings):
            return failure(HTTPStatus.FORBIDDEN, REFUSAL, _NOT_KEPT)
        return Answer(HTTPStatus.OK, self._counts(), _NOT_KEPT, CONTENT_TYPE)


def _told(body: object, headers: dict[str, str], status: int = HTTPStatus.OK) -> Answer:
    return Answer(status, msgspec.json.encode(body), headers | _NOT_KEPT)


def _not_so(methods: list[str] | tuple[str, ...]) -> Answer:
    allow = {"Allow": ", ".join(methods)}
    return failure(HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.METHOD_NOT_ALLOWED.phrase, allow)
