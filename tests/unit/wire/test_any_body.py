"""Whatever a client sends is read or refused, never an exception, and each event is accounted for once."""

from __future__ import annotations

import gzip
import json
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glimpse.settings import Settings
from glimpse.wire import read_events
from glimpse.wire.claim import KNOWN_FIELDS

NOW = 1_790_000_000_000
SETTINGS = Settings(max_batch_events=5, max_event_bytes=500, max_inflated_bytes=2000, max_string_chars=40, max_depth=4)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.datetimes().map(str)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(sorted(KNOWN_FIELDS)) | st.text(max_size=5)
any_event = st.dictionaries(fields, values, max_size=9)
nearly_right = st.builds(
    lambda odd, name, value: {"projectId": "shop", "event": "x", "timestamp": NOW} | {name: value} | odd,
    st.dictionaries(st.text(max_size=5), values, max_size=2),
    fields,
    values,
)
events = any_event | nearly_right
bodies = (
    events | st.lists(events | values, max_size=7) | st.builds(lambda e: {"events": e}, st.lists(events, max_size=7))
)


def accounted(body: bytes, encoding: str | None = None) -> int:
    """Return how many events a body was read as, after checking what must hold for each."""
    reading = read_events(body, encoding, NOW, SETTINGS)
    indexes = [index for index, _ in reading.events] + [refused.index for refused in reading.refused]
    assert len(set(indexes)) == len(indexes)
    assert all(refused.errors for refused in reading.refused)
    for _, claimed in reading.events:
        msgspec.msgpack.encode(claimed)  # the buffer can hold it
        assert claimed.timestamp <= NOW + 24 * 3_600_000
        assert len(claimed.name) <= SETTINGS.max_name_chars
    return reading.problem_count if reading.problem else len(indexes)


@settings(max_examples=300)
@given(bodies)
def test_any_json_is_accounted_for(body: Any):
    expected = len(body) if isinstance(body, list) else None
    found = accounted(json.dumps(body).encode())
    assert expected in (None, found) or found == 1  # 1: the whole body was no JSON, as with NaN


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from([None, "gzip", "identity", "br", "", "x"]))
@example(b"[" * 100_000, None)
@example(b'{"events":[' + b'{"a":' * 100_000, None)
@example(b"\x1f\x8b", "gzip")
def test_any_bytes_are_accounted_for(body: bytes, encoding: str | None):
    accounted(body, encoding)


@settings(max_examples=200)
@given(nearly_right, st.data())
def test_a_body_with_one_wrong_byte_is_accounted_for(event: Any, data: st.DataObject):
    body = bytearray(json.dumps([event, event]).encode())
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    accounted(bytes(body))
    accounted(gzip.compress(bytes(body)), "gzip")
