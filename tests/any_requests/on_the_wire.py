"""A request as bytes on a connection, some of them made wrong on the way; and what a server says to it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import NamedTuple
from urllib.parse import quote

from raw_requests import RAW_CASES

from any_requests.generate import AnyRequest

WRONG_LINES = (
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Connection: upgrade\r\n", b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"Expect: 100-continue\r\n", b"Expect: x\r\n", b"Host: b\r\n", b"X\r\n", b": x\r\n", b"\xff: \xff\r\n",
    b"X: \0\r\n", b"X: " + b"y" * 9000 + b"\r\n", b"Range: bytes=0-0\r\n", b"If-None-Match: *\r\n",
    b"Cookie: a=b; \xff\r\n",
)  # fmt: skip
_SAFE = "/%?&=:;,.-_~!$'()*+@[]{}|"


class RawRequest(NamedTuple):
    """Bytes; `is_http` when every server has to answer them."""

    number: int
    words: bytes
    is_http: bool


class Heard(NamedTuple):
    """What a server said: 0 when it closed the connection without a word, None when it waited for more."""

    status: int | None
    seconds: float


def raw_request(request: AnyRequest, seed: int) -> RawRequest:
    """Return a request's bytes; one in three is no longer what HTTP is."""
    rng = random.Random(f"{seed}/raw/{request.number}")
    if rng.random() < 0.1:
        return RawRequest(request.number, rng.choice(RAW_CASES).words, is_http=False)
    target = request.path + ("?" + request.query if request.query else "")
    lines = [f"{request.method} {quote(target, safe=_SAFE)} HTTP/1.1", "Host: glimpse.test", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n"
    sized, body = _framed(rng, request.body)
    head += sized
    is_http = rng.random() > 0.3
    if not is_http and rng.random() < 0.6:
        head += rng.choice(WRONG_LINES)
    words = head + b"\r\n" + body
    return RawRequest(request.number, words if is_http else _spoiled(rng, words, len(head)), is_http)


def _framed(rng: random.Random, body: bytes) -> tuple[bytes, bytes]:
    if rng.random() < 0.8:
        return b"Content-Length: %d\r\n" % len(body), body
    cuts = sorted(rng.randrange(len(body) + 1) for _ in range(rng.randint(0, 5)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True) if b > a]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\n\r\n"


async def hear(port: int, words: bytes, patience_s: float) -> Heard:
    """Send bytes on a connection of their own, and return what comes first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    try:
        writer.write(words)
        head = await asyncio.wait_for(reader.read(65536), patience_s)
        if head.startswith(b"HTTP/1.1 100 "):
            head = head.partition(b"\r\n\r\n")[2] or await asyncio.wait_for(reader.read(65536), patience_s)
        status = int(head.split(b" ", 2)[1]) if head else 0
    except TimeoutError:
        status = None
    except OSError:
        status = 0
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return Heard(status, time.perf_counter() - began)


def _spoiled(rng: random.Random, words: bytes, head: int) -> bytes:
    at = rng.randrange(head)
    return rng.choice(
        [
            words[:at] + bytes([rng.randrange(256)]) + words[at + 1 :],
            words[:at] + words[at + 1 :],
            words[:at] + b"\r\n" + words[at:],
            words[:at],
            words.replace(b"\r\n", b"\n", rng.randint(1, 5)),
        ]
    )
