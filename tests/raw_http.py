"""HTTP as it stands on the wire: for what no client library would send."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple, Self

ANSWER_WITHIN_S = 5.0


class RawAnswer(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self, *, has_body: bool = True) -> RawAnswer:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            size = int(headers.get("content-length", "0")) if has_body else 0
            return RawAnswer(int(first.split()[1]), headers, await self.reader.readexactly(size))

    async def ask(self, data: bytes) -> RawAnswer:
        self.send(data)
        return await self.answer(has_body=not data.startswith(b"HEAD"))

    async def is_closed(self, within_s: float = ANSWER_WITHIN_S) -> bool:
        try:
            async with asyncio.timeout(within_s):
                return await self.reader.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def post(body: bytes | dict[str, Any], *lines: str, path: str = "/event") -> bytes:
    """Return a request; further header lines as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = (f"POST {path} HTTP/1.1", "Host: stats.test", f"Content-Length: {len(data)}", *lines)
    return "\r\n".join([*head, "", ""]).encode() + data


def get(path: str, *lines: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: stats.test", *lines, "", ""]).encode()
