"""Small routes about the server itself: whether it runs, whether it is ready, and who is asking."""

from __future__ import annotations

from http import HTTPStatus

from glimpse.collect.access import peer_of
from glimpse.collect.parts import Handler, ProblemHandler, allow_every_origin

# What a page's script must not learn of its own request.
_NEVER_SHOWN = frozenset({"Cookie", "Authorization", "Proxy-Authorization"})


class CheckHandler(Handler):
    """`GET /check`: the process answers."""

    def get(self) -> None:
        """Say so."""
        allow_every_origin(self)
        self.answer({"status": "ok"})

    head = get


class ReadyHandler(Handler):
    """`GET /health/ready`: whether buffer and store do their work."""

    def get(self) -> None:
        """Answer 503 with the reasons when a part that events need is down; 200 with a remark otherwise."""
        problems = self.parts.health()
        is_ready = not any(problems.get(part) for part in ("buffer", "store"))
        shown = {part: problem or "ok" for part, problem in problems.items()}
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        self.answer({"status": "ready" if is_ready else "not ready", "parts": shown}, status)

    head = get


class RootHandler(Handler):
    """`GET /`: a browser gets the dashboard, anything else its own address and headers."""

    def get(self) -> None:
        """Redirect whoever asks for HTML."""
        self.set_header("Vary", "Accept")
        if "text/html" in self.request.headers.get("Accept", ""):
            query = f"?{self.request.query}" if self.request.query else ""
            self.redirect(f"{self.parts.dashboard_path}{query}")
            return
        allow_every_origin(self)
        client = self.parts.edge.addresses.client_of(peer_of(self.request), self.request.headers)
        headers = {name: value for name, value in self.request.headers.items() if name not in _NEVER_SHOWN}
        self.answer({"ip": client.text, "headers": headers})

    head = get


class NowhereHandler(ProblemHandler):
    """A path with a NUL in it: nothing is there, and Tornado's own handler of files fails at one."""

    def prepare(self) -> None:
        """Say so."""
        self.refuse(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase)
