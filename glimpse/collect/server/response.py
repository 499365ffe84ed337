"""An answer as bytes of HTTP/1.1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from glimpse.collect.answers import TAKEN, Answer
from glimpse.collect.endpoints import CORS

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_NOT_IN_A_LINE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_KEEP, _CLOSE = "Connection: keep-alive\r\n", "Connection: close\r\n"


class Responses:
    """Makes responses; what stands before the length of a body is the same for nearly all, until the date changes."""

    def __init__(self) -> None:
        self._second = 0
        self._first_lines = ""
        self.taken = b""  # that to an event that was taken
        self._heads: dict[tuple[int, str, bool, bool], bytes] = {}  # of answers without headers of their own
        self.set_time(0)

    def set_time(self, epoch_s: float) -> None:
        """Take the time, which the date of all answers follows."""
        if int(epoch_s) != self._second or not self._first_lines:
            self._second = int(epoch_s)
            self._first_lines = f"Date: {formatdate(epoch_s, usegmt=True)}\r\nX-Content-Type-Options: nosniff\r\n"
            self._heads.clear()
            self.taken = self.of(TAKEN, closes=False, is_head=False, for_every_site=True)

    def of(self, answer: Answer, *, closes: bool, is_head: bool, for_every_site: bool) -> bytes:
        """Return an answer's bytes; of a HEAD request without the body, whose length is told."""
        status, headers = answer.status, answer.headers
        if headers:
            head = self._head(status, answer.content_type, closes, {**CORS, **headers} if for_every_site else headers)
        else:
            key = (status, answer.content_type, closes, for_every_site)
            head = self._heads.get(key)
            if head is None:
                head = self._head(status, answer.content_type, closes, CORS if for_every_site else headers)
                self._heads[key] = head
        if status in _WITHOUT_BODY:
            return head + b"\r\n"
        return b"%sContent-Length: %d\r\n\r\n%s" % (head, len(answer.body), b"" if is_head else answer.body)

    def _head(self, status: int, content_type: str, closes: bool, headers: Mapping[str, str]) -> bytes:  # noqa: FBT001
        lines = [_STATUS_LINES[status], self._first_lines, _CLOSE if closes else _KEEP]
        lines += [f"{_clean(name)}: {_clean(value)}\r\n" for name, value in headers.items()]
        if status not in _WITHOUT_BODY:
            lines.append(f"Content-Type: {content_type}\r\n")
        return "".join(lines).encode("latin-1", "replace")


def _clean(text: str) -> str:
    """Return text that can't begin a header of its own."""
    return _NOT_IN_A_LINE.sub(" ", text)
