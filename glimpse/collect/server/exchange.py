"""One request of a connection and the answer it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glimpse.collect.answers import TAKEN, Answer

if TYPE_CHECKING:
    from glimpse.collect.server.answering import Answering


class Exchange:
    """Has its response when `done` was called; the connection sends it when it is its turn."""

    __slots__ = ("closes", "connection", "for_every_site", "is_refusal", "method", "response")

    def __init__(self, connection: Answering, method: str, *, closes: bool) -> None:
        self.connection = connection
        self.method = method
        self.closes = closes  # the connection ends with it
        self.for_every_site = False  # pages of other sites may read the answer
        self.is_refusal = False  # it ended before it was read
        self.response: bytes | None = None

    def done(self, answer: Answer) -> None:
        """Take the answer, now or later."""
        connection = self.connection
        listener = connection.listener
        if listener.is_stopping:
            self.closes = True
        if answer is TAKEN and not self.closes and self.for_every_site and self.method != "HEAD":
            self.response = listener.responses.taken  # nearly always
        else:
            self.response = listener.responses.of(
                answer, closes=self.closes, is_head=self.method == "HEAD", for_every_site=self.for_every_site
            )
        connection.answered()
