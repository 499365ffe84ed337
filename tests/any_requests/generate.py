"""A request of a number: a seed with some things made wrong, in its JSON, its bytes, its query and its headers."""

from __future__ import annotations

import copy
import gzip
import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from edge_site import CHROME
from wire_cases import NOW

from any_requests.seeds import contract, generated, recorded, written
from glimpse.collect.dialects import DIALECTS

ENDPOINTS = [(endpoint.path, method) for dialect in DIALECTS for endpoint in dialect for method in endpoint.methods]
TOKENS = (
    b'"\\ud800"', b"1e309", b"-0", b"NaN", b"null", b"[", b"{", b"]", b"}", b'"', b"\\", b"\0", b"\xff", b",", b":",
    b"9" * 400, b"\xef\xbb\xbf", b"[" * 5000, b"\\u0000", "\u202e😀".encode(), b"%00", b"%", b"&", b"=", b"data=",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, -0.0, 1e308, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, NOW, NOW / 1000,
    str(NOW), "", " ", "\0", "\ud800", "x" * 4097, "😀" * 5000, "a" * 70_000, "\u202e", "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "0000-00-00", "NaN", "[", "https://[::1", "http://a:99999999/", "//", "javascript:1",
    "::ffff:203.0.113.7", "999.1.1.1", "__proto__", [], {}, [[]], {"": {}}, [None] * 600,
    {str(i): i for i in range(200)}, json.loads("[" * 60 + "]" * 60),
)  # fmt: skip
HEADERS: Mapping[str, tuple[str, ...]] = {
    "Content-Type": (
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "x/y; charset=utf-16",
        "\xff",
    ),
    "User-Agent": ("", "curl/8", "Googlebot/2.1", "\xff\xfe", "x" * 3000, "Mozilla/5.0 HeadlessChrome/140"),
    "X-Forwarded-For": ("203.0.113.7", "1.2.3.4, 5.6.7.8", "unknown", "::1%eth0", ",,,", "[2001:db8::1]:80", "9" * 500),
    "Forwarded": ("for=203.0.113.7", 'for="[::1]:1";proto=https', "for=", ";;;", "for=_x, for=1"),
    "X-Real-Ip": ("203.0.113.8", "x"),
    "Origin": ("https://shop.example", "null", "https://[::1", "\xff"),
    "Referer": ("https://shop.example/a?b", "::", "\xff"),
    "Authorization": ("Basic c2hvcDo=", "Basic \xff", "Basic !!!", "Bearer x", "Basic " + "A" * 5000),
    "X-Umami-Cache": ("x", "a.b.c", "eyJ.eyJ.x", "\xff"),
    "Sec-Gpc": ("1", "2"),
    "Sec-Purpose": ("prefetch", "prefetch;prerender"),
    "Accept-Language": ("de-DE,de;q=0.9", ";;q=x", "x" * 2000),
}


class AnyRequest(NamedTuple):
    """A request as a server hands it on."""

    number: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Requests:
    """Makes them: `make(number)` is always the same for the same seed."""

    def __init__(self, seed: int, generated_values: int) -> None:
        self.seed = seed
        self._seeds = [*contract()], [*recorded(), *written()]  # ours, and other trackers'
        self._values = generated(seed, generated_values)

    def make(self, number: int) -> AnyRequest:
        """Return the request of a number."""
        rng = random.Random(f"{self.seed}/{number}")
        method, path, query, body = rng.choice(rng.choice(self._seeds))
        if rng.random() < 0.25:
            path, method = rng.choice(ENDPOINTS)
            path = re.sub(r"\{\w+\}", lambda _: quote(rng.choice(["shop", "phc_x", "\0", "ä/b", "x" * 90])), path)
        body = self._body(rng, body)
        if rng.random() < 0.3:
            query = _spoil(rng, query.encode()).decode("latin-1")
        odd = {name: rng.choice(said) for name, said in HEADERS.items() if rng.random() < 0.1}
        encoding, body = _compressed(rng, body)
        return AnyRequest(number, method, path, query, {"User-Agent": CHROME} | odd | encoding, body)

    def _body(self, rng: random.Random, body: bytes) -> bytes:
        kind = rng.random()
        if kind < 0.12:
            return _dumped(rng, rng.choice(self._values))
        if kind < 0.2:
            return _dumped(
                rng, {"events": [rng.choice(self._values) for _ in range(rng.randrange(6))], "projectId": "shop"}
            )
        if kind < 0.3:
            return body
        if kind < 0.75 and (value := _read(body)) is not None:
            for _ in range(rng.randint(1, 3)):
                value = _changed(rng, value, self._values)
            body = _dumped(rng, value)
        return _spoil(rng, body) if rng.random() < 0.4 else body


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _dumped(rng: random.Random, value: object) -> bytes:
    return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def _changed(rng: random.Random, value: Any, values: list[Any]) -> Any:
    """Return a value with one thing in it that is another, missing, twice, or elsewhere."""
    spots: list[Callable[[Any], None]] = []
    _collect_spots(rng, value, spots, 0)
    odd = copy.deepcopy(rng.choice(ODD) if rng.random() < 0.7 else rng.choice(values))
    if not spots or rng.random() < 0.05:
        return rng.choice([odd, [value], {"events": [value]}, [value] * rng.choice([2, 501])])
    rng.choice(spots)(odd)
    return value


def _collect_spots(rng: random.Random, value: Any, spots: list[Callable[[Any], None]], depth: int) -> None:
    if depth > 8 or not isinstance(value, dict | list):
        return
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        spots.append(lambda odd, value=value, key=key: value.__setitem__(key, odd))
        if rng.random() < 0.2:
            spots.append(lambda _odd, value=value, key=key: value.__delitem__(key))
        _collect_spots(rng, value[key], spots, depth + 1)
    if isinstance(value, dict):
        spots.append(lambda odd, value=value: value.__setitem__(str(odd)[:200], odd))
    else:
        spots.append(lambda odd, value=value: value.append(odd))


def _spoil(rng: random.Random, body: bytes) -> bytes:
    """Return bytes with some of them changed, gone, or with others between them."""
    for _ in range(rng.randint(1, 3)):
        at, to = sorted((rng.randint(0, len(body)), rng.randint(0, len(body))))
        body = rng.choice(
            [
                body[:at] + rng.choice(TOKENS) + body[at:],
                body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :],
                body[:at] + body[to:],
                body[:to] + body[at:],
                body[:at],
            ]
        )
    return body


def _compressed(rng: random.Random, body: bytes) -> tuple[dict[str, str], bytes]:
    kind = rng.random()
    if kind < 0.8:
        return {}, body
    if kind < 0.93:
        zipped = gzip.compress(body, 1, mtime=0)
        return {"Content-Encoding": "gzip"}, _spoil(rng, zipped) if rng.random() < 0.2 else zipped
    return {"Content-Encoding": rng.choice(["gzip", "br", "deflate", "", "gzip, gzip", "\xff"])}, body
