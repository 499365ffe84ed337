"""Asks a running Glimpse as browsers do, through whatever stands in front of it. Standard library only."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import ssl
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from glimpse.collect.address import AddressReader, reader_for
from glimpse.errors import SettingsError
from glimpse.settings import Settings

_TIMEOUT_S = 30  # the first viewer's page takes a second or two
_OTHER_LOOPBACK = "127.0.0.2"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class NoAnswer(Exception):
    """Nothing answered, or something that is not HTTP."""


class Seen(NamedTuple):
    """One answer."""

    status: int
    headers: dict[str, str]  # by name in lower case
    body: bytes

    @property
    def json(self) -> Any:
        """What it says as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Site:
    """A Glimpse at the address that people use.

    Parameters
    ----------
    url
        With the path of `--prefix`, if there is one.
    settings
        The server's, as far as whoever asks has them.

    Raises
    ------
    SettingsError
        When the URL is no address of a site.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise SettingsError(f"{url!r} is no address of a site; write https://stats.example.com")
        self.settings = settings
        self.scheme = parts.scheme
        self.host = parts.hostname
        self.netloc = parts.netloc.rpartition("@")[2].lower().removesuffix(f":{_DEFAULT_PORTS[parts.scheme]}")
        self.root = parts.path.rstrip("/")
        self.port = port or _DEFAULT_PORTS[parts.scheme]

    @property
    def origin(self) -> str:
        """What a browser gives as the origin of the site's pages."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def addresses(self) -> AddressReader:
        """Whom the settings trust."""
        return reader_for(self.settings)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Seen:
        """Return the answer to one request, a redirect too; `path` is below the site's own.

        Raises
        ------
        NoAnswer
            When there is none.
        """
        connection = self._connection()
        given = {"Host": self.netloc, "User-Agent": "glimpse-doctor", "Accept": "application/json"} | (headers or {})
        try:
            connection.request(method, self.root + path, body, given)
            answer = connection.getresponse()
            content = answer.read() if answer.status != 101 else b""
            return Seen(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)
        except (OSError, HTTPException) as problem:
            raise NoAnswer(f"{self.origin} can't be reached: {problem or type(problem).__name__}") from problem
        finally:
            connection.close()

    def open_websocket(self, path: str, token: str) -> Seen:
        """Ask for a page's WebSocket as a browser does, and close it at once when it opens."""
        asked = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Origin": self.origin,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": f"bokeh, {token}",
        }
        if self.scheme == "https":
            asked["Sec-Fetch-Site"] = "same-origin"  # which browsers tell to secure servers only
        return self.ask(path, headers=asked)

    @cached_property
    def echo(self) -> tuple[str, dict[str, str], Seen]:
        """The address and the headers of a plain request, as Glimpse gets them; and the answer that told so."""
        return self.echo_of({})

    def echo_of(self, headers: dict[str, str]) -> tuple[str, dict[str, str], Seen]:
        """Return the same for a request with more headers."""
        seen = self.ask("/", headers=headers)
        told = seen.json
        if not isinstance(told, dict) or "ip" not in told:
            raise NoAnswer(f"GET {self.root}/ does not tell who asks, but answers {seen.status}")
        return told["ip"], told["headers"], seen

    @cached_property
    def page(self) -> tuple[str, Seen]:
        """Where the site sends a browser, and what is there."""
        wanted = {"Accept": "text/html"}
        where = re.sub(r"^https?://[^/]+", "", self.ask("/", headers=wanted).headers.get("location", "")).partition(
            "?"
        )[0]
        return where, self.ask(where.removeprefix(self.root), headers=wanted)

    def _connection(self) -> HTTPConnection:
        source = self._other_loopback
        if self.scheme == "https":
            context = ssl.create_default_context()
            return HTTPSConnection(self.host, self.port, timeout=_TIMEOUT_S, context=context, source_address=source)
        return HTTPConnection(self.host, self.port, timeout=_TIMEOUT_S, source_address=source)

    @cached_property
    def _other_loopback(self) -> tuple[str, int] | None:
        """Another address to ask from when the site is on loopback: a proxy's own can then be told from ours."""
        try:
            found = str(socket.getaddrinfo(self.host, self.port, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
            if not found.startswith("127."):
                return None
            with socket.create_connection((found, self.port), 2, (_OTHER_LOOPBACK, 0)):
                return _OTHER_LOOPBACK, 0
        except OSError:
            return None
