"""Keeps the dashboard to those who may look: its page, its WebSocket and whatever else Panel serves below its path."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher
from tornado.web import RequestHandler

from glimpse.collect.access import REFUSAL, may_look
from glimpse.settings import Settings

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Glimpse</title><style>body{{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34em;padding:0 1em;
background:#0c1016;color:#d7dde6}}</style><h1>Not from here</h1><p>{reason}.</p></html>"""


class Stranger(Matcher):
    """Matches a request for the dashboard from somebody who may not look; any other goes on to Panel."""

    def __init__(self, prefix: str, paths: Sequence[str], settings: Settings) -> None:
        self._paths = tuple(prefix + path for path in paths)
        self._settings = settings

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return what Tornado takes as a match, or None."""
        is_dashboard = any(request.path == path or request.path.startswith(f"{path}/") for path in self._paths)
        if not is_dashboard or (may_look(request, self._settings) and _is_origin(request.headers.get("Origin"))):
            return None
        return {}


def _is_origin(text: str | None) -> bool:
    """Tell whether an Origin can be read: at one that can't, Bokeh's own check fails with a server error."""
    try:
        urlsplit(text or "")
    except ValueError:
        return False
    return True


class ForbiddenPage(RequestHandler):
    """Says who may look, whatever the method."""

    def prepare(self) -> None:
        """Answer 403, for a WebSocket's handshake too."""
        self.set_status(HTTPStatus.FORBIDDEN)
        self.finish(_PAGE.format(reason=escape(REFUSAL)))

    def check_xsrf_cookie(self) -> None:
        """Ask for no token: there is nothing to act on."""
