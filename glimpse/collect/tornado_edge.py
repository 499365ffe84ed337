"""The edge behind Tornado: takes a path's requests as they come, without what a `RequestHandler` costs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from http.client import responses
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.routing import Router

from glimpse.collect.access import peer_of
from glimpse.collect.answers import Answer, failure
from glimpse.collect.dialects import Endpoint
from glimpse.collect.endpoints import CORS, Resource, find, preflight
from glimpse.collect.parts import Parts
from glimpse.collect.request import Request, origin_form

log = logging.getLogger("glimpse.collect")

# Paths at which other routes answer the methods that no endpoint has.
SHARED_PATHS = frozenset({"/api/v1/events"})


class EdgeRouter(Router):
    """Takes requests for the edge's endpoints; any other goes on to the next route."""

    def __init__(self, parts: Parts, prefix: str = "") -> None:
        self.parts = parts
        self._prefix = prefix

    def find_handler(self, request: HTTPServerRequest, **_kwargs: Any) -> HTTPMessageDelegate | None:
        """Return what takes the request, None when it is for others."""
        if not request.path.startswith("/"):
            _name_path_only(request)
        if not request.path.startswith(self._prefix):
            return None
        path = request.path[len(self._prefix) :]
        resource = find(path)
        if resource is None:
            return None
        method = request.method or ""
        endpoint = resource.endpoint(method)
        if endpoint is None and method != "OPTIONS" and _may_be_others(path):
            return None
        return _Exchange(self.parts, request, path, resource, endpoint)


def _name_path_only(request: HTTPServerRequest) -> None:
    """Take scheme and host out of a target in a proxy's form, which every server has to take (RFC 9112, 3.2.2).

    It holds for the routes that are asked after this one, too: they see the path that the client means.
    """
    origin = origin_form(request.path)
    if origin:
        request.path = origin
        request.uri = f"{origin}?{request.query}" if request.query else origin


def _may_be_others(path: str) -> bool:
    """Tell whether something else may be at a path: an app is at its file's name, which can be `track` or `batch`."""
    return path in SHARED_PATHS or (path != "/event" and path.rstrip("/").count("/") == 1)


class _Exchange(HTTPMessageDelegate):
    """One request and its answer. The body is collected here, so that no more than the limit is ever held in memory."""

    def __init__(
        self, parts: Parts, request: HTTPServerRequest, path: str, resource: Resource, endpoint: Endpoint | None
    ) -> None:
        self._parts, self._request, self._path = parts, request, path
        self._resource, self._endpoint = resource, endpoint
        self._chunks: list[bytes] = []
        self._size = 0

    def data_received(self, chunk: bytes) -> None:
        """Keep what is within the limit, and count the rest."""
        self._size += len(chunk)
        if self._size <= self._parts.settings.max_body_bytes:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    def finish(self) -> None:
        """Give the request to the edge; it calls back with the answer."""
        try:
            self._take()
        except Exception:  # whatever it is, the client hears of it and the server goes on
            log.exception("%s %s failed", self._request.method, self._request.path)
            self._send(failure(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR.phrase))

    def _take(self) -> None:
        request, endpoint, edge = self._asked(), self._endpoint, self._parts.edge
        if request.method == "OPTIONS":
            self._send(preflight(request.headers, self._resource.methods))
        elif endpoint is None:
            allow = {"Allow": ", ".join(self._resource.methods)}
            self._send(failure(HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.METHOD_NOT_ALLOWED.phrase, allow))
        elif endpoint.reply:
            self._send(endpoint.reply(request, self._parts.settings))
        elif endpoint.dialect and self._size > self._parts.settings.max_body_bytes:
            edge.refuse_size(request, endpoint.dialect, self._size, self._send)
        elif endpoint.dialect:
            edge.receive(request, endpoint.dialect, self._send)

    def _asked(self) -> Request:
        request = self._request
        return Request(
            b"".join(self._chunks),
            request.headers,
            peer_of(request),
            request.method or "",
            self._path,
            request.query,
            self._resource.names,
            request.protocol,
            self._request.path.removesuffix(self._path),
        )

    def _send(self, answer: Answer) -> None:
        connection = self._request.connection
        if connection is None:
            return
        headers = HTTPHeaders(_headers_of(answer))
        start = ResponseStartLine("", answer.status, responses.get(answer.status, ""))
        try:
            connection.write_headers(start, headers, answer.body if self._request.method != "HEAD" else None)
            connection.finish()
        except StreamClosedError:
            pass  # the client has gone; its events are kept


def _headers_of(answer: Answer) -> Mapping[str, str]:
    sized = {} if answer.status == HTTPStatus.NO_CONTENT else {"Content-Length": str(len(answer.body))}
    typed = {"Content-Type": answer.content_type} if answer.body else {}
    return {"X-Content-Type-Options": "nosniff", **typed, **sized, **CORS, **answer.headers}
