"""The line for each request: as Tornado writes it, but without the visitor's address and the query string."""

from __future__ import annotations

import logging

from tornado.web import RequestHandler

log = logging.getLogger("tornado.access")

_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def log_without_address(handler: RequestHandler) -> None:
    """Log one answered request; for Tornado's `log_function`."""
    status = handler.get_status()
    level = logging.INFO if status < _CLIENT_ERROR else logging.WARNING if status < _SERVER_ERROR else logging.ERROR
    request = handler.request
    log.log(level, "%d %s %s %.2fms", status, request.method, request.path, 1000 * request.request_time())
