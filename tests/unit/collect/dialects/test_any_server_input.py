"""Whatever comes in, the dialects of Segment and PostHog read it without an exception and answer no server's error."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from asking import ask
from hypothesis import given, settings
from hypothesis import strategies as st

from glimpse.collect.dialects.posthog_event import FACTS, NAMES

HUGE = b"[" * 100_000
_FIELDS = [
    *("type", "event", "name", "category", "properties", "context", "traits", "userId", "anonymousId", "groupId"),
    *("messageId", "timestamp", "originalTimestamp", "sentAt", "writeKey", "batch", "channel", "page", "screen"),
    *("library", "campaign", "device", "sessionId", "width", "density", "ip", "locale", "url", "referrer", "api_key"),
    *("uuid", "sent_at", "offset", "distinct_id", "$set", "$group_set", "$elements", "$exception_list", "utm_source"),
    *list(FACTS)[:30],
]
_WORDS = st.sampled_from([*NAMES, "track", "page", "alias", "wk_1", "2026-09-21T14:13:20Z", "9" * 400, "$direct", ""])
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _WORDS
_values = st.recursive(
    _scalars | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=6),
    max_leaves=12,
)
_objects = st.dictionaries(st.sampled_from(_FIELDS), _values, max_size=8)
_texts = (_objects | _values).map(lambda value: json.dumps(value).encode())
_bodies = (
    st.binary(max_size=60)
    | _texts
    | _texts.map(gzip.compress)
    | _texts.map(lambda text: b"data=" + base64.b64encode(text))
)


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch", "/e/", "/engage"])
@given(body=_bodies, header=st.text("0123456789abcdefABC=:, ", max_size=30))
@settings(max_examples=60)
def test_any_body_is_read_and_answered(path: str, body: bytes, header: str):
    answer = ask(path, body, "POST", Authorization=f"Basic {header}", Content_Encoding="").answer()
    assert answer.status < 500


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch", "/e/", "/batch/"])
@pytest.mark.parametrize("body", [HUGE, b'{"batch":' + HUGE, b'{"batch":[{"properties":' + HUGE, b'{"a":1e999}', b"\0"])
def test_what_no_decoder_likes_is_refused(path: str, body: bytes):
    assert 400 <= ask(path, body, "POST").answer().status < 500
