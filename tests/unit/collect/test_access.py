from __future__ import annotations

from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from glimpse.collect.access import is_allowed, may_change, may_look
from glimpse.settings import Settings


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", {"Host": "localhost:5006"}, True),
        ("::1", {"Host": "[::1]:5006"}, True),
        ("::ffff:127.0.0.1", {"Host": "127.0.0.1"}, True),
        ("", {}, True),
        ("192.168.1.7", {"Host": "192.168.1.5:5006"}, False),
        ("203.0.113.7", {"X-Forwarded-For": "127.0.0.1"}, False),
        ("203.0.113.7", {"X-Real-Ip": "127.0.0.1"}, False),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7", "Host": "localhost"}, False),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1, 203.0.113.7", "Host": "localhost"}, False),
        ("127.0.0.1", {"X-Forwarded-For": "nobody", "Host": "localhost"}, False),
        ("127.0.0.1", {"Host": "rebound.example:5006"}, False),
        ("127.0.0.1", {"Host": "localhost.example"}, False),
    ],
)
def test_only_clients_on_loopback_may_look(peer: str, headers: dict[str, str], expected: bool):  # noqa: FBT001
    assert is_allowed(peer, headers, Settings()) is expected


def test_everybody_may_look_at_what_is_public():
    assert is_allowed("203.0.113.7", {"Host": "stats.example"}, Settings(is_public=True))


@pytest.mark.parametrize(("peer", "expected"), [("127.0.0.1", True), ("203.0.113.7", False)])
def test_what_is_public_is_changed_from_this_machine_only(peer: str, expected: bool):  # noqa: FBT001
    context = type("Context", (), {"address": (peer, 5006), "remote_ip": peer, "protocol": "http"})()
    connection: Any = type("Connection", (), {"context": context})()
    line, headers = RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders({"Host": "localhost"})
    request = HTTPServerRequest(headers=headers, connection=connection, start_line=line)
    assert may_look(request, Settings(is_public=True))
    assert may_change(request, Settings(is_public=True)) is expected
