"""A whole server's log after all that clients may do: it names none of them, and nothing that stood after a `?`."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path

import pytest
from serving import APP, Served, an_event
from waiting import wait_until

pytestmark = pytest.mark.server

VISITOR, SECRET = "203.0.113.77", "s3cr3t"
TOKEN = f"token={SECRET}&bokeh-session-id=%ff%ff{SECRET}"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
BOKEH = f"Sec-WebSocket-Protocol: bokeh, {SECRET}\r\n"


def head(line: str, *headers: str) -> str:
    return "\r\n".join([line, "Host: localhost", f"X-Forwarded-For: {VISITOR}", "Connection: close", *headers, "", ""])


def get(path: str, *headers: str) -> str:
    return head(f"GET {path}?{TOKEN} HTTP/1.1", *headers)


def post(body: str, path: str = "/event", *headers: str) -> str:
    return head(f"POST {path}?{TOKEN} HTTP/1.1", f"Content-Length: {len(body)}", *headers) + body


def local(request: str) -> str:
    return request.replace("X-Forwarded-For", "X-Visitor")


ANSWERED = [
    *(
        get(path)
        for path in ("/", "/check", "/health/ready", "/metrics", "/nothing", "/sdk/glimpse.js", "/sdk/none.js")
    ),
    *(get(path) for path in ("/glimpse_app", "/api/v1/live", "/api/v1/events", "/static/none.js", "/favicon.ico")),
    *(
        local(get(path))
        for path in ("/glimpse_app", "/glimpse_app/autoload.js", "/glimpse_app/metadata", "/glimpse_app/ws")
    ),
    *(local(get(f"/api/v1/{what}")) for what in ("live", "ledger", "events")),
    *(local(get(path)) for path in ("/static/../../etc/passwd", "/static/extensions/no/no.js", "/glimpse_app/none")),
    local(get("/")).replace("Connection: close", "Accept: text/html\r\nConnection: close"),
    local(get("/glimpse_app/ws")).replace("Connection: close\r\n", UPGRADE + BOKEH + "Origin: http://evil.test\r\n"),
    local(get("/glimpse_app/ws")).replace("Connection: close\r\n", UPGRADE + BOKEH + "Origin: http://localhost\r\n"),
    local(get("/glimpse_app/ws")).replace("Connection: close\r\n", UPGRADE),
    get("/glimpse_app/ws").replace("Connection: close\r\n", UPGRADE + BOKEH),
    post(json.dumps(an_event())),
    post("{"),
    post("[]", "/api/v1/events"),
    post("x" * 600_000),
    post("x", "/glimpse_app"),
    post("x", "/nothing"),
    post("x", "/event", "Content-Encoding: gzip"),
    *(head(f"{method} /event?{TOKEN} HTTP/1.1") for method in ("OPTIONS", "PUT", "HEAD", "DELETE", "PATCH")),
    head(f"GET http://localhost/event?{TOKEN} HTTP/1.0"),
]
MALFORMED = [
    head(f"GET  /?{TOKEN} HTTP/1.1"),
    head(f"GET /?{TOKEN} HTTP/9.9"),
    head(f"GET /?{TOKEN}"),
    head(f"/?{TOKEN} {VISITOR}"),
    head(f"GET /?{TOKEN} HTTP/1.1", f"X-Real-Ip: {VISITOR}\x01"),
    head(f"GET /?{TOKEN} HTTP/1.1", f"no colon {VISITOR} {SECRET}"),
    head(f"GET /?{TOKEN} HTTP/1.1", f"Host: {VISITOR}"),
    head(f"GET /?{TOKEN} HTTP/1.1").replace("localhost", f"{VISITOR}/?{SECRET}"),
    head(f"POST /event?{TOKEN} HTTP/1.1", f"Content-Length: {SECRET}"),
    head(f"POST /event?{TOKEN} HTTP/1.1", "Content-Length: 3", "Content-Length: 4"),
    head(f"POST /event?{TOKEN} HTTP/1.1", "Transfer-Encoding: chunked") + f"{SECRET}\r\n",
    head(f"POST /event?{TOKEN} HTTP/1.1", f"Transfer-Encoding: {SECRET}"),
    head(f"POST /glimpse_app?{TOKEN} HTTP/1.1", "Content-Length: 1", "Content-Type: multipart/form-data; boundary=x")
    + "x",
    head(f"GET /?{TOKEN} HTTP/1.1", "X-Long: " + "x" * 70_000),
    f"{VISITOR} {SECRET}\x00\xff\r\n\r\n",
]
GONE = [
    head(f"POST /event?{TOKEN} HTTP/1.1", "Content-Length: 500") + "{",
    f"GET /?{TOKEN} HTTP/1.1\r\nX-Real-Ip: {VISITOR}",
]


def send(served: Served, request: str, *, is_waiting: bool = True) -> bytes:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        client.settimeout(3)
        try:
            client.sendall(request.encode("latin-1"))
            return client.recv(65_536) if is_waiting else b""
        except OSError:
            return b""


def test_the_log_names_no_client_and_nothing_of_a_query(tmp_path: Path):
    app = tmp_path / "glimpse_app.py"  # of which the first page shows all lines, also those that are never shown else
    app.write_text("import logging\nlogging.getLogger().setLevel(logging.DEBUG)\n" + APP.read_text())
    with Served(tmp_path / "data", app=app) as served:
        assert served.ask("GET", "/glimpse_app")[0] == 200
        silent = [request for request in ANSWERED if not send(served, request).startswith(b"HTTP/1.1")]
        assert silent == []
        for request in MALFORMED:
            assert not re.match(rb"HTTP/1.1 [25]", send(served, request)), request
        for request in GONE:
            send(served, request, is_waiting=False)
        assert served.ask("GET", "/the-last-one")[0] == 404
        wait_until(lambda: "/the-last-one" in served.said(), what="all lines are there")
        said = served.said()
    assert "WebSocket" in said
    assert "Malformed HTTP message from a client" in said
    assert "403 GET /glimpse_app" in said
    telling = [line for line in said.splitlines() if VISITOR in line or SECRET in line or re.search(r"\('?127\.", line)]
    assert telling == []


def test_the_collectors_log_names_no_client_either(tmp_path: Path, redis_url: str):
    collecting = Served(tmp_path / "data", GLIMPSE_REDIS_URL=redis_url)
    collecting.command = [sys.executable, "-m", "glimpse.cli", "collect", "--port", str(collecting.port)]
    with collecting:
        assert [request for request in ANSWERED if not send(collecting, request).startswith(b"HTTP/1.1")] == []
        for request in MALFORMED:
            assert not re.match(rb"HTTP/1.1 5", send(collecting, request)), request
        for request in GONE:
            send(collecting, request, is_waiting=False)
        assert collecting.get("/", X_Forwarded_For=f"192.0.2.1, {VISITOR}")["ip"] == VISITOR
    said = collecting.said()
    assert "collecting at" in said
    assert [line for line in said.splitlines() if VISITOR in line or SECRET in line] == []
