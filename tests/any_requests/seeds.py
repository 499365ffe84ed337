"""Where requests begin: those of real trackers in `tests/fixtures`, one of each kind by hand, and generated values."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as hypothesis_seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from wire_cases import CASES, NOW

FIXTURES = Path(__file__).parent.parent / "fixtures"
HUNDRED_KB = 100_000

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.datetimes().map(str)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=20,
)


class Seed(NamedTuple):
    """A request that a tracker would send."""

    method: str
    path: str
    query: str
    body: bytes


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def recorded() -> Iterator[Seed]:
    """Return what real trackers have sent, as far as it was captured."""
    for file in sorted(FIXTURES.rglob("*.jsonl")):
        for line in file.read_text().splitlines():
            told = json.loads(line)
            path, _, query = told["path"].partition("?")
            yield Seed(told["method"], path, query, (told.get("body") or "").encode())


def contract() -> Iterator[Seed]:
    """Return the cases of our own contract, without the largest."""
    return (Seed("POST", "/event", "", case.body) for case in CASES if len(case.body) < HUNDRED_KB)


def written() -> Iterator[Seed]:
    """Return one of each other kind."""
    yield Seed("GET", "/pixel.gif", "projectId=shop&event=open&url=https%3A%2F%2Fa.example%2F&title=%C3%A4", b"")
    plausible = {"n": "pageview", "u": "https://a.example/x?utm_source=b", "d": "a.example", "r": None, "p": {"a": "1"}}
    yield Seed("POST", "/api/event", "", _json(plausible | {"v": 36, "e": 1500, "sd": 40, "$": {"amount": "1.5"}}))
    umami = {"website": "shop", "hostname": "a.example", "url": "/x", "title": "T", "referrer": "", "screen": "1x1"}
    hit = {
        "type": "event",
        "payload": umami | {"name": "buy", "data": {"a": [1, {"b": None}]}, "timestamp": NOW // 1000},
    }
    yield Seed("POST", "/api/send", "", _json(hit))
    yield Seed("POST", "/api/batch", "", _json([hit, hit]))
    count = "p=%2Fx&t=Title&r=https%3A%2F%2Fb.example&e=false&s=1440%2C900%2C2&b=0&q=utm_source%3Dc&rnd=abc"
    yield Seed("GET", "/count", count, b"")
    matomo = "idsite=1&rec=1&action_name=T&url=https%3A%2F%2Fa.example%2F&_id=0123456789abcdef&h=1&m=2&s=3&res=1x1"
    events = "&e_c=cat&e_a=act&e_n=name&e_v=1.5&cvar=%7B%221%22%3A%5B%22a%22%2C%22b%22%5D%7D&cdt=2026-01-01&uid=u"
    yield Seed("GET", "/matomo.php", matomo + events, b"")
    yield Seed("POST", "/matomo.php", "", (matomo + events).encode())
    yield Seed("POST", "/matomo.php", "", _json({"requests": ["?" + matomo, matomo + events], "token_auth": "x" * 32}))
    segment = {
        "writeKey": "shop",
        "messageId": "m1",
        "anonymousId": "a",
        "userId": "u",
        "timestamp": "2026-01-01T00:00:00Z",
        "sentAt": "2026-01-01T00:00:01Z",
        "event": "Order",
        "name": "Page",
        "properties": {"url": "https://a.example/x", "total": 1.5},
        "traits": {"email": "a@b.example"},
        "context": {"ip": "203.0.113.7", "userAgent": "x", "page": {"path": "/", "title": "T"}, "locale": "de"},
    }
    for kind in ("track", "page", "screen", "identify", "group", "alias", "t", "p", "i"):
        yield Seed("POST", f"/v1/{kind}", "", _json(segment))
    calls = [segment | {"type": kind} for kind in ("track", "page", "screen", "identify", "group", "alias", "other")]
    yield Seed("POST", "/v1/batch", "", _json({"writeKey": "shop", "batch": calls, "sentAt": "2026-01-01T00:00:01Z"}))
    posthog = {
        "event": "$pageview",
        "distinct_id": "d",
        "uuid": "0192f3a4-7c00-7000-8000-1234567890ab",
        "timestamp": "2026-01-01T00:00:00Z",
        "offset": 5,
        "properties": {"token": "phc_x", "$current_url": "https://a.example/", "$session_id": "s", "$set": {"a": 1}},
    }
    batch = _json({"api_key": "phc_x", "batch": [posthog, posthog | {"event": "x"}], "sent_at": "2026-01-01T00:00:01Z"})
    yield Seed("POST", "/batch/", "", batch)
    yield Seed("POST", "/e/", "ip=0&_=1&ver=1", batch)
    yield Seed("POST", "/e/", "compression=gzip-js", gzip.compress(batch, mtime=0))
    yield Seed("POST", "/e/", "compression=base64", b"data=" + base64.b64encode(batch).replace(b"+", b"%2B"))
    yield Seed("POST", "/i/v0/e/", "", _json(posthog | {"api_key": "phc_x"}))
    yield Seed("POST", "/capture/", "", _json([posthog]))
    yield Seed("POST", "/flags/", "v=2", _json({"token": "phc_x", "distinct_id": "d"}))


def generated(seed: int, number: int) -> list[Any]:
    """Return JSON values of all kinds, from hypothesis: the same for the same seed."""
    found: list[Any] = []

    @hypothesis_seed(seed)
    @hypothesis_settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found
