"""What happens when somebody looks for the first time: the views are imported, on a thread, while events go on.

They take 90 MB, which a server that only collects doesn't need; and over a second, for which no event shall wait.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Sequence
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher
from tornado.web import RequestHandler

from glimpse.server import served
from glimpse.server.garbage import keep_for_good

log = logging.getLogger("glimpse.server")

# In pieces: a stop never waits for more than one of them.
_VIEWS = ("pandas", "holoviews", "holoviews.plotting.bokeh", "cartopy.crs", "geoviews", "glimpse.views.page")


class _Views:
    are_here = False


class FirstViewer(Matcher):
    """Matches who asks for a page, or its WebSocket, while the views are not imported; any later one goes to Panel."""

    def __init__(self, prefix: str, paths: Sequence[str]) -> None:
        self._paths = {prefix + path + what for path in paths for what in ("", "/autoload.js", "/ws")}

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return what Tornado takes as a match, or None."""
        is_first = not _Views.are_here and request.method == "GET" and request.path in self._paths
        return {} if is_first else None


class FirstPage(RequestHandler):
    """Imports the views, and lets Panel answer then."""

    async def get(self) -> None:
        """Answer after a second or two, as Panel does."""
        self._auto_finish = False  # the other handler finishes
        await _import_views()
        self.application.find_handler(self.request).finish()

    def check_xsrf_cookie(self) -> None:
        """Ask for no token: there is nothing to act on."""


async def _import_views() -> None:
    for name in _VIEWS:
        if served.glimpse is None or served.glimpse.is_stopping:
            break
        try:
            await asyncio.to_thread(importlib.import_module, name)
        except Exception:
            log.exception("the views can't be imported; the dashboard will not open")
            break
    if not _Views.are_here:  # once, of all who wait: the first of them has a page by now, which has to go some day
        keep_for_good()
        _Views.are_here = True
