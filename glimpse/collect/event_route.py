"""`POST /event`: the edge's core behind Tornado."""

from __future__ import annotations

from http import HTTPStatus

from tornado.web import stream_request_body

from glimpse.collect.access import peer_of
from glimpse.collect.core import Request
from glimpse.collect.parts import JSON, Handler

_PREFLIGHT_KEPT_S = 86_400


def allow_every_origin(handler: Handler) -> None:
    """Let pages of any site send, without credentials, and read what the answer says."""
    handler.set_header("Access-Control-Allow-Origin", "*")
    handler.set_header("Access-Control-Expose-Headers", "Retry-After, X-Glimpse-Dropped")


@stream_request_body
class EventHandler(Handler):
    """Takes events. The body is collected here, so that no more than the limit is ever held in memory."""

    def prepare(self) -> None:
        """Start an empty body."""
        allow_every_origin(self)
        self._chunks: list[bytes] = []
        self._size = 0

    def check_trusted_origin(self, origin: str) -> bool:  # noqa: ARG002 - any
        """Trust all: pages of other sites are what sends here, and no cookie is read."""
        return True

    def data_received(self, chunk: bytes) -> None:
        """Keep what is within the limit, and count the rest."""
        self._size += len(chunk)
        if self._size <= self.parts.settings.max_body_bytes:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    async def post(self) -> None:
        """Give the request to the edge and send its answer."""
        edge = self.parts.edge
        if self._size > self.parts.settings.max_body_bytes:
            answer = await edge.refuse_size(self._size)
        else:
            request = Request(b"".join(self._chunks), self.request.headers, peer_of(self.request))
            answer = await edge.take(request)
        self.set_status(answer.status)
        self.set_header("Content-Type", JSON)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.finish(answer.body)

    def options(self) -> None:
        """Allow what a preflight asks for."""
        self.set_header("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
        asked = self.request.headers.get("Access-Control-Request-Headers")
        self.set_header("Access-Control-Allow-Headers", asked or "Content-Type, Content-Encoding")
        self.set_header("Access-Control-Max-Age", str(_PREFLIGHT_KEPT_S))
        if self.request.headers.get("Access-Control-Request-Private-Network"):
            self.set_header("Access-Control-Allow-Private-Network", "true")  # a public page, a Glimpse on this machine
        self.set_header("Vary", "Access-Control-Request-Headers")
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()
