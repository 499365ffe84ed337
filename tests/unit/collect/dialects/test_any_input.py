"""Whatever comes in, a dialect reads it without an exception, and what it answers is no error of the server."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from asking import ask
from hypothesis import given, settings
from hypothesis import strategies as st

HUGE = b"[" * 100_000
_KEYS = [
    "n",
    "u",
    "d",
    "r",
    "p",
    "$",
    "i",
    "e",
    "h",
    "type",
    "payload",
    "website",
    "name",
    "data",
    "timestamp",
    "id",
    "url",
    "referrer",
    "requests",
    "idsite",
    "rec",
    "cdt",
    "cvar",
]

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5),
    max_leaves=12,
)
_bodies = st.binary(max_size=200) | _values.map(lambda value: json.dumps(value).encode())
_QUERIES = ("/pixel.gif", "/count/shop", "/matomo.php")
_BODIES = ("/api/event", "/api/send", "/api/batch", "/matomo.php")
_FIELDS = [
    "projectId",
    "event",
    "timestamp",
    "properties",
    "p",
    "e",
    "q",
    "s",
    "b",
    "r",
    "idsite",
    "rec",
    "url",
    "cdt",
    "cdo",
    "cvar",
    "e_a",
    "ping",
    "idgoal",
    "cip",
]


@pytest.mark.parametrize("path", _BODIES)
@given(body=_bodies, header=st.text("0123456789abcdef., -", max_size=60))
@settings(max_examples=150)
def test_any_body_is_read_and_answered(path: str, body: bytes, header: str):
    answer = ask(path, body, "POST", X_Umami_Cache=header, X_Forwarded_For=header, Referer=header).answer()
    assert answer.status < 500


@pytest.mark.parametrize("path", _QUERIES)
@given(fields=st.dictionaries(st.sampled_from(_FIELDS), st.binary(max_size=12) | st.just(b"1"), max_size=8))
@settings(max_examples=150)
def test_any_query_is_read_and_answered(path: str, fields: dict[str, bytes]):
    query = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields.items())
    answer = ask(f"{path}?{query}", Referer="http://[", Origin="null").answer()
    assert answer.status < 500
    assert all(value.isprintable() for value in answer.headers.values())


@pytest.mark.parametrize("path", _BODIES)
@pytest.mark.parametrize(
    "value",
    [HUGE, b'{"payload":' + HUGE, b'{"p":"' + HUGE + b'"}', b'{"n":1e999}', b'{"e":' + b"9" * 400 + b"}", b"\0"],
)
def test_what_no_decoder_likes_is_refused(path: str, value: bytes):
    assert 400 <= ask(path, value, "POST").answer().status < 500


@pytest.mark.parametrize(("number", "status"), [(10**30, 400), (1e308, 400), (-(2**70), 200), (-1e308, 200)])
def test_times_beyond_all_clocks_are_refused_ahead_and_replaced_behind(number: Any, status: int):
    payload = {"website": "shop", "url": "/", "timestamp": number}
    assert ask("/api/send", {"type": "event", "payload": payload}).answer().status == status
    assert ask(f"/matomo.php?idsite=7&rec=1&cdt={number:.0f}").answer().status == 400
