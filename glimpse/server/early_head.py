"""Sends the head of the dashboard's page before the page is made: the browser reads its scripts meanwhile.

Both take some half a second, one of the server's and one of the browser's processor. The head is equal for all viewers:
it is kept from the page that was made last, and has nothing of anybody's; but for a first sight of what the page will
show. Rule of this module: only for a request that Panel will answer with a page, as a status and headers can't be
changed any more once the head is out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from panel.config import config
from panel.io.server import DocHandler
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

FIRST_SIGHT = "<!-- here stands what is shown until the page is there -->"  # as `views/page.html` has both
END_OF_HEAD = "<!-- here the page begins that is made for one viewer -->"
_FAILED = (
    "<style>#sight { display: none }</style>"
    '<p role="alert" style="margin:15vh auto;max-width:34em">The page could not be made; the server\'s log says why.'
)


class OpensPage(Matcher):
    """Matches who opens the dashboard as any browser does, without a session that was made for it elsewhere."""

    def __init__(self, path: str) -> None:
        self._path = path

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return what Tornado takes as a match, or None."""
        is_plain = "Bokeh-Session-Id" not in request.headers and not _SESSION_ARGUMENTS & request.arguments.keys()
        return {} if request.method == "GET" and request.path == self._path and is_plain else None


Sight = Callable[[dict[str, list[bytes]]], str]
_SESSION_ARGUMENTS = {"bokeh-session-id", "bokeh-token"}


class PageWithEarlyHead(DocHandler):
    """Panel's page, in two parts."""

    def initialize(self, *args: Any, heads: dict[str, str], sight: Sight, **kw: Any) -> None:
        """Take the head of each path, kept for all requests, and what makes a first sight of a request's arguments."""
        super().initialize(*args, **kw)
        self._heads = heads
        self._sight = sight
        self._is_head_sent = False

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Send the head, if there is one, and then what Panel makes."""
        head = self._heads.get(self.request.path)
        if head and self.current_user and not config.authorize_callback:
            self.set_header("Content-Type", "text/html; charset=UTF-8")
            self.set_header("Cache-Control", "no-store")
            self.set_header("X-Accel-Buffering", "no")  # nginx would keep it until all of the page is there
            self.write(head.replace(FIRST_SIGHT, self._sight(self.request.arguments) or FIRST_SIGHT))
            self._is_head_sent = True
            await self.flush()
        await cast("Any", super()).get(*args, **kwargs)  # a decorator hides that it is a coroutine

    def write(self, chunk: str | bytes | dict[Any, Any]) -> None:
        """Keep the head of a page, and leave it out where it is sent."""
        if isinstance(chunk, str):
            head, mark, rest = chunk.partition(END_OF_HEAD)
            if mark:
                self._heads[self.request.path] = head
                chunk = rest if self._is_head_sent else chunk
        super().write(chunk)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Say that there is no page, where it is too late for a status."""
        if self._is_head_sent and not self._finished:
            self.write(_FAILED)
        super().send_error(status_code, **kwargs)
