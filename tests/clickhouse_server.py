"""ClickHouse's HTTP interface over the engine in this process: `python tests/clickhouse_server.py PORT FOLDER`.

There is no server of ClickHouse to install for these tests, but there is its engine. So what is asked and written goes
through the driver's HTTP, as with a server, and is done by ClickHouse itself.
"""

from __future__ import annotations

import re
import sys
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import clickhouse_connect
from clickhouse_connect.driver._backend.chdb_backend import CHDB_TRANSPORT_SETTINGS, _decompress
from clickhouse_connect.driver._backend.models import QueryRuntime
from clickhouse_connect.driver.exceptions import ClickHouseError

_INSERT = re.compile(
    rb"\s*INSERT\s+INTO\s+(?P<into>[^\n]*?)\s+FORMAT\s+(?P<format>\w+)\s*(?:\n(?P<rows>.*))?$", re.DOTALL
)
_NOT_SET = CHDB_TRANSPORT_SETTINGS | {"query", "default_format", "cancel_http_readonly_queries_on_client_close"}


class Interface(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: str
    engine: Any

    def setup(self) -> None:
        """Give each connection a handle of its own: one handle does one thing at a time."""
        super().setup()
        self._client = clickhouse_connect.get_client(interface="chdb", path=self.folder)
        self.engine = self._client._backend

    def finish(self) -> None:
        super().finish()
        self._client.close()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body, packed = self._body(), self.headers.get("Content-Encoding")
        body = _decompress(body, packed) if packed else body
        if self.headers.get_content_type() == "multipart/form-data":
            asked |= _form(self.headers["Content-Type"], body)
            body = b""
        try:
            self._reply(200, self._do(asked, body))
        except ClickHouseError as problem:
            code = str(getattr(problem, "code", None) or 1)
            self._reply(500, str(problem).encode(), **{"X-ClickHouse-Exception-Code": code})

    def _do(self, asked: dict[str, str], body: bytes) -> bytes:
        settings = {name: value for name, value in asked.items() if name not in _NOT_SET and name[:6] != "param_"}
        runtime = QueryRuntime(database=None, settings=settings, retryable=False)
        sql = b"\n".join(part for part in (asked.get("query", "").encode(), body) if part)
        if (insert := _INSERT.match(sql)) and insert["rows"]:
            into, kind = insert["into"].decode(), insert["format"].decode()
            self.engine.execute_raw_insert(into, None, insert["rows"], kind, None, runtime, None)
            return b""
        values = {name: value for name, value in asked.items() if name[:6] == "param_"}
        if "default_format" in asked and not re.search(rb"FORMAT\s+\w+\s*$", sql):
            sql += f"\nFORMAT {asked['default_format']}".encode()
        return self.engine.execute_raw_query(sql.decode(), values, None, runtime, None)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        told = {"X-ClickHouse-Timezone": "UTC", "X-ClickHouse-Summary": "{}", "Content-Length": str(len(body))}
        for name, value in (told | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _form(content_type: str, body: bytes) -> dict[str, str]:
    message: Any = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts = message.get_payload()
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode() for part in parts
    }


def main(port: int, folder: str) -> None:
    Interface.folder = folder
    keeps_open = clickhouse_connect.get_client(interface="chdb", path=folder)  # also with no connection
    keeps_open.ping()
    ThreadingHTTPServer(("127.0.0.1", port), Interface).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
