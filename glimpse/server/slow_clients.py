"""Ends connections to Panel's port that take too long over a request, or that nobody uses any more.

Rule of this module: one sweep looks at all connections; a request has no timer of its own. Tornado's own limit is such
a timer, it counts idle time as well, and does not cover the body.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate

from glimpse.server.periodic import call_every

REQUEST_WITHIN_S = 9.0  # from its first byte to its last; with two sweeps on top, slow ones are gone within 10 s
IDLE_WITHIN_S = 75.0  # between requests; longer than the 60 s for which nginx keeps its connections
SWEEP_EVERY_S = 0.25


class SlowClients:
    """The connections of one HTTP server, and since when each is at what it does.

    Parameters
    ----------
    http
        The server, before it takes connections.
    now
        A clock in seconds that is never set back.
    """

    def __init__(self, http: HTTPServer, now: Callable[[], float] = time.monotonic) -> None:
        self._http: Any = http  # what is asked of it is not all public
        self._now = now
        self._clients: dict[object, _Client] = {}
        self._start_request = http.start_request
        http.start_request = self._note_request
        http.conn_params.header_timeout = None

    def watch(self) -> None:
        """Sweep from now on, on the running loop."""
        call_every(SWEEP_EVERY_S, self.sweep)

    def sweep(self) -> None:
        """End those whose time is over, and forget those that have gone or become WebSockets."""
        now, served = self._now(), self._http._connections  # noqa: SLF001
        for connection, client in list(self._clients.items()):
            if connection not in served:
                del self._clients[connection]
            elif client.is_too_slow(now):
                client.stream.close()

    def _note_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Begin a request's time; Tornado calls this as soon as the one before has been answered."""
        if client := self._clients.get(server_conn):
            client.expect_another(request_conn)
        else:
            self._clients[server_conn] = _Client(server_conn, request_conn, self._now())
        return self._start_request(server_conn, request_conn)


class _Doing(Enum):
    NOTHING = auto()
    SENDING = auto()  # a request, of which some bytes have come
    WAITING = auto()  # for the answer


class _Client:
    __slots__ = ("_doing", "_is_new", "_request", "_since", "stream")

    def __init__(self, server_conn: Any, request_conn: HTTPConnection, now: float) -> None:
        self.stream = server_conn.stream
        self._request = request_conn
        self._doing: _Doing | None = None
        self._since = now
        self._is_new = True  # it has not asked for anything: its first request's time runs from when it came

    def expect_another(self, request_conn: HTTPConnection) -> None:
        self._request, self._is_new, self._doing = request_conn, False, None

    def is_too_slow(self, now: float) -> bool:
        doing = _doing(self.stream, self._request)
        if doing is not self._doing and not self._is_new:
            self._since = now
        self._doing = doing
        if doing is _Doing.WAITING:
            self._is_new = False
            return False
        is_idle = doing is _Doing.NOTHING and not self._is_new
        return now - self._since > (IDLE_WITHIN_S if is_idle else REQUEST_WITHIN_S)


def _doing(stream: Any, request: Any) -> _Doing:
    # Not whether the stream is being read: in a busy loop it mostly is not, between two parts of a body.
    if request._read_finished:  # noqa: SLF001
        return _Doing.WAITING
    is_before_head = stream._read_regex is not None and not stream._read_buffer_size  # noqa: SLF001
    return _Doing.NOTHING if is_before_head else _Doing.SENDING
