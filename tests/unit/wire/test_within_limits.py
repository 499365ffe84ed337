from __future__ import annotations

import gc
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpse.settings import Settings
from glimpse.wire import read_events, read_looked
from glimpse.wire.claim import WireEvent, WithinLimits, claim
from glimpse.wire.times import MOST_AHEAD_MS, MOST_BACK_MS, Clock
from glimpse.wire.usual import claim_usual, first_look, is_usual
from glimpse.wire.within_limits import decoder_for

TIGHT = Settings(max_string_chars=8, max_key_chars=3, max_properties=2, max_name_chars=4, max_depth=4)
NOW = 1_790_000_000_000
_closely = msgspec.json.Decoder(WireEvent)

texts = st.text("aé😀", max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=4), inner, max_size=2),
    max_leaves=6,
)
contents = st.none() | st.dictionaries(st.text("abcd", max_size=4), values, max_size=3)
events = st.fixed_dictionaries(
    {"projectId": st.just("shop"), "timestamp": st.just(NOW)},
    optional={
        "event": texts | st.just(" "),
        "id": texts,
        "sessionId": texts | st.just("x" * 65),
        "properties": contents,
        "context": contents,
        "traits": contents,
        "userId": texts | st.integers(-(2**65), 2**65),
    },
)


@given(events)
def test_what_the_fast_way_takes_a_close_look_takes_too_and_makes_the_same_of_it(event: dict[str, Any]):
    text = json.dumps(event).encode()
    try:
        fast = decoder_for(TIGHT)(text)
    except msgspec.ValidationError:
        return
    closely = claim(_closely.decode(text), None, Clock(NOW), TIGHT)
    assert claim(fast, None, Clock(NOW), TIGHT) == closely


def test_a_usual_event_goes_the_fast_way():
    event = {
        "projectId": "shop",
        "event": "page_view",
        "timestamp": NOW,
        "properties": {"a": 1, "list": ["x", 1.5], "deep": {"er": {"b": None}}},
        "context": {"screen": {"width": 1}, "url": "https://shop.test/" + "x" * 4000},
    }
    assert decoder_for(Settings())(json.dumps(event).encode()).event == "page_view"


@given(events)
def test_the_usual_way_makes_of_an_event_what_the_close_way_makes_of_it(event: dict[str, Any]):
    text = json.dumps(event).encode()
    looked = first_look(text, TIGHT)
    if isinstance(looked, WithinLimits) and is_usual(looked, NOW, TIGHT):
        assert claim_usual(looked) == claim(_closely.decode(text), None, Clock(NOW), TIGHT)


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": NOW + MOST_AHEAD_MS + 1},
        {"timestamp": NOW - MOST_BACK_MS - 1},
        {"timestamp": "2026-11-24"},
        {"timestamp": float(NOW)},
        {"sentAt": NOW},
        {"events": []},
        {"projectId": "a b"},
        {"projectId": None},
        {"event": " "},
        {"context": {"url": 1}},
        {"context": {"utm": "x"}},
        {"unknown": 1},
        {"properties": {"a": [[[1]]]}},
    ],
)
def test_what_is_unusual_is_left_to_the_close_way(changes: dict[str, Any]):
    event = {"projectId": "shop", "event": "Page View", "timestamp": NOW, "context": {"utm": {}, "screen": "1x1"}}
    assert is_usual_body(json.dumps(event).encode())
    assert not is_usual_body(json.dumps(event | changes).encode())


@given(events | st.dictionaries(st.sampled_from(["event", "projectId", "what"]), values))
def test_what_is_found_after_a_first_look_is_what_is_found_without_one(event: dict[str, Any]):
    text = json.dumps(event).encode()
    looked = first_look(text, TIGHT)
    expected = read_events(text, None, NOW, TIGHT)
    assert read_events(text, None, NOW, TIGHT, looked) == expected
    if isinstance(looked, WithinLimits):
        assert read_looked(first_look(text, TIGHT), NOW, TIGHT) in (None, expected)


def is_usual_body(text: bytes) -> bool:
    looked = first_look(text, Settings())
    return isinstance(looked, WithinLimits) and is_usual(looked, NOW, Settings())


@pytest.mark.parametrize("body", [b'{"event":', b'{"event":5}', b'{"event":"a","properties":{"a":[[[[[[1]]]]]]}}'])
def test_a_refused_body_is_let_go_without_the_garbage_collector(body: bytes):
    def refuse() -> None:
        looked = first_look(body, TIGHT)
        assert read_events(body, None, NOW, TIGHT, None if isinstance(looked, WithinLimits) else looked).refused

    gc.collect()
    refuse()
    assert gc.collect() == 0
