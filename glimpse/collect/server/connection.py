"""One client's connection: its bytes as requests. Their answers are `answering.py`'s.

Rule of this module: no task and no timer for a request. One sweep of all connections, by `listener.py`, ends those
whose time is over.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

import httptools

from glimpse.collect.answers import Answer, failure
from glimpse.collect.request import Headers
from glimpse.collect.server.answering import Answering
from glimpse.collect.server.exchange import Exchange
from glimpse.collect.server.heads import Head
from glimpse.collect.server.names import METHODS, NAMES
from glimpse.collect.server.response import CONTINUE
from glimpse.collect.server.target import target_of

if TYPE_CHECKING:
    from glimpse.collect.server.listener import Listener

log = logging.getLogger("glimpse.collect")

_OF_UPGRADE = frozenset({"Upgrade", "Connection", "Http2-Settings"})
_END_OF_HEAD = b"\r\n\r\n"
_BODY_FRAMES = frozenset({"Content-Length", "Transfer-Encoding"})


class Connection(Answering):
    """An asyncio protocol; also what httptools calls as it reads."""

    __slots__ = (
        "_chunks",
        "_headers",
        "_in_head",
        "_parser",
        "_received",
        "_request_headers",
        "_size",
        "_target",
        "_whole",
    )

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener)
        self._parser = httptools.HttpRequestParser(self)
        self._in_head = True  # of the request being read, or of the one that may come
        self._whole: Head | None = None  # of the request that was read last
        self._received = 0  # bytes of the request being read, without those that came with the one before
        self._begin()

    def _begin(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = Headers()
        self._request_headers = self._headers
        self._chunks: list[bytes] = []
        self._size = 0

    # -- what the loop calls ---------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Read what came; a whole request in it is taken at once."""
        if self._is_done:
            return
        if not self._is_receiving:
            self._start(data)
            return
        self._read(data)

    def _start(self, data: bytes) -> None:
        """Take a request whose head is known; have any other read, and remember its head if it came whole."""
        listener, end = self.listener, data.find(b"{")  # where nearly all bodies begin: one byte is found sooner
        if data[end - len(_END_OF_HEAD) : end] != _END_OF_HEAD:
            end = data.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        text = data[:end]
        head = listener.heads.known.get(text)
        if head is not None and head.size == len(data) - end:
            self.expires_at = listener.now + listener.terms.request_within_s
            exchange = Exchange(self, head.method, closes=False)
            self._waiting.append(exchange)
            listener.site.take(exchange, head, data[end:])
            if len(self._waiting) > listener.terms.most_pipelined:
                self._pace()
            return
        self._whole = None
        self._read(data)
        whole = self._whole
        if (
            whole
            and not self._is_done
            and end + whole.size == len(data)
            and text.find(_END_OF_HEAD) + len(_END_OF_HEAD) == end  # it holds no request before the last one
            and whole.size <= listener.most_body_bytes
        ):
            listener.heads.remember(text, whole)

    def _read(self, data: bytes) -> None:
        self._received += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError as problem:
            self._refuse_bytes(problem)
            return
        terms = self.listener.terms
        if self._in_head:
            if self._received > terms.most_head_bytes:
                self._end(_TOO_LONG_HEAD)
        elif self._received > terms.most_drained_bytes:
            self._end(self._too_large())
        if len(self._waiting) > terms.most_pipelined:
            self._pace()

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # Nothing is upgraded (RFC 9110, 7.8: a server may ignore it); what follows is read as before.
            rest = data[upgrade.args[0] :]
            if self._is_receiving:  # the parser takes the body for another protocol's
                rest = self._head_without_upgrade() + rest
                self._parser = httptools.HttpRequestParser(self)
                self._begin()
            if not self._is_done:
                self._feed(rest)

    def _head_without_upgrade(self) -> bytes:
        lines = [f"{name}: {value}" for name, value in self._request_headers.items() if name not in _OF_UPGRADE]
        first = f"{METHODS[self._parser.get_method()]} {self._target.decode('latin-1')} HTTP/1.1"
        return "\r\n".join([first, *lines, "", ""]).encode("latin-1")

    def _refuse_bytes(self, problem: Exception) -> None:
        if isinstance(problem, httptools.HttpParserCallbackError):
            log.error("a request could not be read", exc_info=problem.__context__)
            self._end(failure(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR.phrase))
        else:
            self._end(failure(HTTPStatus.BAD_REQUEST, f"this is no HTTP: {problem}"))

    # -- what httptools calls --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Give a request its time."""
        self._is_receiving = True
        listener = self.listener
        self.expires_at = listener.now + listener.terms.request_within_s

    def on_url(self, part: bytes) -> None:
        """Keep the target, or a part of it."""
        self._target = self._target + part if self._target else part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; lines of the same name are one, as RFC 9110, 5.2 has it."""
        headers, key = self._headers, NAMES[name]
        if key in headers:
            headers[key] = f"{headers[key]}, {value.decode('latin-1')}"
        else:
            headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Judge what can be judged before the body."""
        self._in_head = False
        headers = self._headers
        self._headers = {}  # a trailer is no header: what stood before the body counts
        terms = self.listener.terms
        if len(headers) > terms.most_header_lines or self._received > terms.most_head_bytes:
            self._judge_head(headers)
        if not self._is_done and _length_told(headers) > terms.most_drained_bytes:  # it would not be read to its end
            self._end(self._too_large())
        if "Expect" in headers and not self._is_done and headers["Expect"].lower() == "100-continue":
            self._expect(headers)

    def on_body(self, chunk: bytes) -> None:
        """Keep what is within the limit, and count the rest."""
        self._size += len(chunk)
        if self._size <= self.listener.most_body_bytes:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    def on_message_complete(self) -> None:
        """Have the request answered."""
        if "Upgrade" in self._request_headers and not _BODY_FRAMES.isdisjoint(self._request_headers):
            return  # its body is still to be read
        self._received = 0
        self._in_head = True
        self._is_receiving = False
        if self._is_done:
            return
        parser = self._parser
        exchange = Exchange(self, METHODS[parser.get_method()], closes=not parser.should_keep_alive())
        self._is_done = exchange.closes
        self._waiting.append(exchange)
        chunks = self._chunks
        target = target_of(self._target)
        dialect = target.dialect(exchange.method)
        self._whole = head = Head(exchange.method, target, self._request_headers, self._size, dialect)
        self._begin()
        self.listener.site.take(exchange, head, b"".join(chunks))

    # -- inside ----------------------------------------------------------------------------------------------------

    def _judge_head(self, headers: dict[str, str]) -> None:
        terms = self.listener.terms
        size = len(self._target) + sum(map(len, headers)) + sum(map(len, headers.values()))
        if len(headers) > terms.most_header_lines or size > terms.most_head_bytes:
            self._end(_TOO_LONG_HEAD)

    def _expect(self, headers: dict[str, str]) -> None:
        if _length_told(headers) > self.listener.most_body_bytes:
            self._end(self._too_large())
        elif self._transport and not self._waiting:
            self._transport.write(CONTINUE)
        else:
            word = Exchange(self, "", closes=False)
            word.response = CONTINUE
            self._waiting.append(word)

    def _too_large(self) -> Answer:
        most = self.listener.most_body_bytes
        return failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is too large; at most {most} bytes are allowed")


def _length_told(headers: dict[str, str]) -> int:
    length = headers.get("Content-Length", "")
    return int(length) if length.isdigit() else 0


_TOO_LONG_HEAD = failure(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's head is too long")
