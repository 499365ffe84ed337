"""What no HTTP client would send, as bytes on a connection, and what any of our servers may say to it."""

from __future__ import annotations

from typing import NamedTuple

CLOSED = 0  # without a word
GOOD = b'{"projectId":"raw","event":"raw","timestamp":1}'
SIZED = b"Content-Length: %d\r\n" % len(GOOD)


class RawCase(NamedTuple):
    """Bytes, the statuses that are right for them, and how many events they bring when they are taken."""

    name: str
    words: bytes
    statuses: frozenset[int]
    events: int = 0
    hangs_up: bool = False


def post(headers: bytes = SIZED, body: bytes = GOOD, *, target: bytes = b"/event", first: bytes = b"") -> bytes:
    first = first or b"POST " + target + b" HTTP/1.1"
    return first + b"\r\nHost: a\r\nConnection: close\r\n" + headers + b"\r\n" + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return post(b"Transfer-Encoding: chunked\r\n", parts + end)


def taken(name: str, words: bytes, events: int = 1) -> RawCase:
    return RawCase(name, words, frozenset({200}), events)


def refused(name: str, words: bytes, *statuses: int, hangs_up: bool = False) -> RawCase:
    return RawCase(name, words, frozenset(statuses or (400, CLOSED)), 0, hangs_up)


HALF = len(GOOD) // 2
EXTENDED = b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
HEAD_1_0 = b"POST /event HTTP/1.0\r\n" + SIZED + b"\r\n"
RAW_CASES = (
    # What is unusual and right.
    taken("chunks", chunked(GOOD[:HALF], GOOD[HALF:])),
    taken("a chunk a byte", chunked(*(GOOD[i : i + 1] for i in range(len(GOOD))))),
    taken("HTTP/1.0 without Host", HEAD_1_0 + GOOD),
    taken("header names in capitals", post(SIZED.upper())),
    taken("a query", post(target=b"/event?a=1&b")),
    taken("a proxy's form of a target", post(target=b"http://a/event?b")),
    taken("a slash at the end", post(target=b"/event/")),
    taken("two requests at once", post().replace(b"Connection: close\r\n", b"") + post(), 2),
    taken("Expect: 100-continue", post(SIZED + b"Expect: 100-continue\r\n")),
    taken("many headers", post(SIZED + b"".join(b"X-%d: y\r\n" % i for i in range(60)))),
    taken("bytes that are no UTF-8 in headers", post(SIZED + b"User-Agent: \xff\xfe\r\nX-Forwarded-For: \xff\r\n")),
    # What is right and may be refused all the same: no client of ours sends it, and a proxy mends it.
    RawCase("a chunk with an extension", chunked(end=EXTENDED), frozenset({200, 400}), 1),
    RawCase("a broken address for a target", post(target=b"http://[::1/event"), frozenset({200, 400, 404}), 1),
    refused("an address without a path", post(target=b"http://a"), 400, 404, 405, CLOSED),
    RawCase("HTTP/1.1 without Host", post().replace(b"Host: a\r\n", b""), frozenset({200, 400}), 1),
    RawCase("two Hosts", post(SIZED + b"Host: b\r\n"), frozenset({200, 400}), 1),
    # What leads elsewhere: a path is taken as it comes, never decoded, and no dots are resolved.
    refused("an escaped path", post(target=b"/%65vent"), 404),
    refused("dots in the path", post(target=b"/a/../event"), 404),
    refused("escaped dots", post(target=b"/a/%2e%2e/event"), 404),
    refused("an escaped slash", post(target=b"/api%2Fv1%2Fevents"), 404),
    refused("NUL in the path", post(b"", b"", first=b"GET /static/%00/x.css HTTP/1.1"), 404),
    refused("another path", post(target=b"/events"), 404),
    refused("a path of two slashes", post(target=b"//event"), 404),
    refused("GET", post(b"", b"", first=b"GET /event HTTP/1.1"), 405),
    refused("HEAD", post(b"", b"", first=b"HEAD /event HTTP/1.1"), 405),
    refused("PUT", post(first=b"PUT /event HTTP/1.1"), 405),
    refused("an unknown method", post(first=b"BREW /event HTTP/1.1"), 400, 405, CLOSED),
    refused("a method in lower case", post(first=b"post /event HTTP/1.1"), 400, 405, CLOSED),
    refused("TRACE", post(b"", b"", first=b"TRACE /event HTTP/1.1"), 405),
    refused("CONNECT", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400, 404, 405, CLOSED),
    refused("an asterisk", post(target=b"*"), 400, 404, CLOSED),
    # Lengths.
    refused("no length", post(b"", b""), 400, 411),
    refused("a length of 0", post(b"Content-Length: 0\r\n", b""), 400),
    refused("a negative length", post(b"Content-Length: -1\r\n")),
    refused("a length with a plus", post(b"Content-Length: +47\r\n")),
    refused("a length that is no number", post(b"Content-Length: ten\r\n")),
    refused("an empty length", post(b"Content-Length:\r\n"), 400, CLOSED),
    refused("two different lengths", post(SIZED + b"Content-Length: 5\r\n")),
    refused("a length as a list", post(b"Content-Length: 47, 5\r\n")),
    refused("a length of 20 digits", post(b"Content-Length: 99999999999999999999\r\n"), 400, 413, CLOSED),
    refused("a length over what is read", post(b"Content-Length: 99999999999\r\n"), 400, 413, CLOSED, hangs_up=True),
    refused("a length and chunks", post(SIZED + b"Transfer-Encoding: chunked\r\n")),
    refused("a body shorter than its length", post(b"Content-Length: 500\r\n"), CLOSED, 400, hangs_up=True),
    refused("a length too short", post(b"Content-Length: 5\r\n"), 400),
    # Chunks.
    refused("a chunk size that is none", chunked(end=b"zz\r\n\r\n")),
    refused("a negative chunk size", chunked(end=b"-1\r\n\r\n")),
    refused("a chunk size of 20 digits", chunked(end=b"fffffffffffffffffff\r\n")),
    refused("a chunk longer than its size", chunked(end=b"2\r\nabcdef\r\n0\r\n\r\n")),
    refused("chunks that never end", chunked(GOOD, end=b""), CLOSED, 400, hangs_up=True),
    refused("another transfer encoding", post(b"Transfer-Encoding: gzip\r\n"), 400, CLOSED),
    refused("too large in chunks", chunked(*[b" " * 65536] * 9), 413),
    # What is no HTTP.
    refused("nothing but line ends", b"\r\n" * 10, CLOSED, 400, hangs_up=True),
    refused("nonsense", b"nonsense\r\n\r\n"),
    refused("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    refused("zeros", b"\0" * 100 + b"\r\n\r\n"),
    refused("HTTP/0.9", b"GET /event\r\n\r\n", 400, 405, CLOSED),
    refused("HTTP/9.9", post(first=b"POST /event HTTP/9.9"), 400, CLOSED),
    refused("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, 404, 405, CLOSED),
    refused("a header without a colon", post(b"no header\r\n")),
    refused("a header name with a space", post(SIZED + b"X Y: 1\r\n"), 400, CLOSED),
    refused("a header with NUL", post(SIZED + b"X: a\0b\r\n"), 400, CLOSED),
    refused("a header with a line feed", post(SIZED + b"X: a\rb\r\n"), 400, CLOSED),
    refused("one huge header", post(SIZED + b"X: " + b"y" * 200_000 + b"\r\n"), 400, 431, CLOSED),
    refused("very many headers", post(SIZED + b"".join(b"X-%d: y\r\n" % i for i in range(20_000))), 400, 431, CLOSED),
    refused("a huge target", post(target=b"/event?" + b"a" * 200_000), 400, 414, 431, CLOSED),
)
