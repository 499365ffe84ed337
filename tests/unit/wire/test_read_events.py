from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

import pytest

from glimpse.events import ClaimedEvent
from glimpse.settings import Settings
from glimpse.wire import Reading, read_events

NOW = 1_790_000_000_000
SETTINGS = Settings()
HOUR = 3_600_000


def event(**changes: Any) -> dict[str, Any]:
    return {"projectId": "shop", "event": "page_view", "timestamp": NOW} | changes


def read(body: object, encoding: str | None = None, settings: Settings = SETTINGS) -> Reading:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_events(raw, encoding, NOW, settings)


def only(body: object) -> ClaimedEvent:
    reading = read(body)
    assert (reading.problem, reading.refused) == (None, [])
    ((_, claimed),) = reading.events
    return claimed


def error(body: object) -> tuple[str, str]:
    reading = read(body)
    assert reading.events == []
    ((found,),) = [refused.errors for refused in reading.refused]
    return found.path, found.message


def test_one_event_is_read_as_it_was_sent():
    claimed = only(
        event(sessionId="sess_1", properties={"a": [1, None]}, context={"url": "https://a.example/", "x": 1})
    )
    assert claimed == ClaimedEvent(
        project="shop",
        name="page_view",
        timestamp=NOW,
        session_id="sess_1",
        properties={"a": [1, None]},
        context={"url": "https://a.example/", "x": 1},
    )


def test_a_byte_order_mark_is_no_mistake():
    assert read(b"\xef\xbb\xbf" + json.dumps(event()).encode()).events


def test_null_means_absent():
    assert only(event(id=None, sessionId=None, properties=None, context=None, traits=None)) == only(event())


def test_a_person_is_claimed_apart_from_what_is_kept():
    claimed = only(event(userId=7, anonymousId="a", traits={"email": "a@b.example"}))
    assert (claimed.user_id, claimed.anonymous_id, claimed.traits) == ("7", "a", {"email": "a@b.example"})
    assert (claimed.properties, claimed.context) == (only(event()).properties, only(event()).context)


@pytest.mark.parametrize("name", ["projectId", "event", "timestamp"])
def test_a_missing_field_is_named(name: str):
    body = event()
    del body[name]
    assert error(body) == (name, f"{name} is required and missing")


def test_every_missing_field_is_named_at_once():
    assert [e.path for e in read({}).refused[0].errors] == ["projectId", "event", "timestamp"]


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"event": 5}, "event", "event must be a string; it is a number: 5"),
        ({"event": ""}, "event", 'event must be a name; it is ""'),
        ({"event": "x" * 201}, "event", "event has 201 code points; at most 200 are allowed"),
        ({"projectId": "a b"}, "projectId", 'it is "a b"'),
        ({"projectId": "a\n"}, "projectId", "projectId must be 1 to 64 of the characters"),
        ({"projectId": "x" * 65}, "projectId", "1 to 64"),
        ({"timestamp": "soon"}, "timestamp", 'timestamp must be epoch milliseconds or ISO 8601; it is "soon"'),
        ({"timestamp": True}, "timestamp", "it is a boolean: true"),
        ({"timestamp": NOW + 25 * HOUR}, "timestamp", "timestamp is more than 24 h ahead"),
        ({"timestamp": 1e300}, "timestamp", "timestamp is more than 24 h ahead"),
        ({"sessionId": "s" * 65}, "sessionId", "sessionId has 65 code points; at most 64 are allowed"),
        ({"sessionId": 5}, "sessionId", "sessionId must be a string; it is a number: 5"),
        ({"properties": []}, "properties", "properties must be an object; it is an array: []"),
        ({"context": "x"}, "context", 'context must be an object; it is a string: "x"'),
        ({"context": {"url": 4}}, "context.url", "context.url must be a string; it is a number: 4"),
        ({"context": {"screen": 4}}, "context.screen", "context.screen must be a string or an object"),
        (
            {"properties": {"a": "x" * 4097}},
            "properties.a",
            "properties.a has 4097 code points; allowed is at most 4096",
        ),
        ({"properties": {"k" * 129: 1}}, "properties", "has a key of 129 code points"),
        ({"properties": {str(i): i for i in range(101)}}, "properties", "has 101 keys; allowed is at most 100"),
        ({"properties": {"n": 2**64}}, "properties.n", "allowed is -2^63 to 2^64-1"),
        ({"context": {"a": [{"b": ["x" * 4097]}]}}, "context.a[0].b[0]", "4097"),
        ({"id": "x" * 4097}, "id", "id has 4097 code points"),
        ({"sentAt": "never"}, "sentAt", "sentAt must be epoch milliseconds or ISO 8601"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(change: dict[str, Any], path: str, said: str):
    found_path, message = error(event(**change))
    assert found_path == path
    assert said in message


def nested(levels: int) -> object:
    return [nested(levels - 1)] if levels else 1


def test_sixteen_levels_are_allowed_and_seventeen_are_not():
    assert only(event(properties={"a": nested(14)}))  # event, properties, 14 arrays
    path, message = error(event(properties={"a": nested(15)}))
    assert path.startswith("properties.a[0]")
    assert "is nested 17 deep; allowed is at most 16" in message


def test_limits_count_code_points_and_not_bytes():
    assert only(event(properties={"a": "ü" * 4096, "b": "😀" * 300}))


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (NOW - 5, NOW - 5),
        (NOW + 0.9, NOW),
        ("2026-09-21T14:13:20Z", NOW),
        ("2026-09-21T16:13:20.250+02:00", NOW + 250),
        ("2026-09-21T14:13:20", NOW),
        (NOW + 24 * HOUR, NOW + 24 * HOUR),
        (NOW - 7 * 24 * HOUR, NOW - 7 * 24 * HOUR),
    ],
)
def test_times_are_epoch_milliseconds_or_iso(claimed: object, expected: int):
    found = only(event(timestamp=claimed))
    assert (found.timestamp, found.time_was_replaced) == (expected, False)


@pytest.mark.parametrize("claimed", [NOW - 7 * 24 * HOUR - 1, 0, -1, -(10**30), "0001-01-01T00:00:00+14:00"])
def test_an_event_from_over_seven_days_ago_gets_the_time_of_receipt(claimed: object):
    found = only(event(timestamp=claimed))
    assert (found.timestamp, found.time_was_replaced) == (NOW, True)


def envelope(*events: object, **fields: object) -> dict[str, Any]:
    return {"projectId": "shop", "events": list(events)} | fields


def test_a_clock_over_a_minute_off_is_corrected_by_sent_at():
    slow = NOW - 3 * HOUR
    ((_, found),) = read(envelope(event(timestamp=slow - 1000), sentAt=slow)).events
    assert found.timestamp == NOW - 1000


def test_a_clock_under_a_minute_off_is_left_alone():
    ((_, found),) = read(envelope(event(timestamp=NOW - 59_000), sentAt=NOW - 59_000)).events
    assert found.timestamp == NOW - 59_000


def test_a_deferred_body_is_not_corrected():
    ((_, found),) = read(envelope(event(timestamp=NOW - HOUR), sentAt=NOW - HOUR, deferred=True)).events
    assert found.timestamp == NOW - HOUR


def test_correction_comes_before_the_limits():
    ahead = NOW + 100 * HOUR
    assert read(envelope(event(timestamp=ahead), sentAt=ahead)).events[0][1].timestamp == NOW


def test_an_unreadable_sent_at_refuses_the_batch_as_a_whole():
    reading = read(envelope(event(), event(), sentAt="never"))
    assert reading.problem is not None
    assert (reading.problem.path, reading.problem_project, reading.problem_count) == ("sentAt", "shop", 2)


def test_an_envelope_names_the_project_of_events_without_one():
    bare = event()
    del bare["projectId"]
    assert [e.project for _, e in read(envelope(bare, event(projectId="other"))).events] == ["shop", "other"]


def test_a_mixed_batch_keeps_its_good_events():
    reading = read([event(), event(event=5), 7, event(event="click"), {"projectId": "other"}])
    assert [(i, e.name) for i, e in reading.events] == [(0, "page_view"), (3, "click")]
    assert [(r.index, r.project) for r in reading.refused] == [(1, "shop"), (2, ""), (4, "other")]


def test_a_number_out_of_range_refuses_its_event_alone():
    good = json.dumps(event())
    reading = read(f'[{good}, {good[:-1]}, "properties": {{"n": 1e400}}}}]'.encode())
    assert ([i for i, _ in reading.events], [r.index for r in reading.refused]) == ([0], [1])


def test_an_empty_batch_is_read_as_a_batch():
    for body in ([], envelope()):
        assert (read(body).is_batch, read(body).events, read(body).problem) == (True, [], None)


def test_a_batch_over_the_limit_is_refused_as_a_whole_and_counted():
    reading = read([event()] * 501)
    assert reading.problem is not None
    assert (reading.problem.message, reading.problem_count) == (
        "the batch has 501 events; at most 500 are allowed",
        501,
    )


def test_an_event_over_32_kib_is_refused_alone():
    big = event(properties={str(i): "x" * 4000 for i in range(9)})
    reading = read([event(), big])
    assert [r.index for r in reading.refused] == [1]
    assert "at most 32768 are allowed" in reading.refused[0].errors[0].message


def test_unknown_fields_are_ignored_and_counted():
    reading = read(envelope(event(colour="red", size=1), event(), writeKey="x"))
    assert (len(reading.events), reading.unknown_fields) == (2, 3)


def test_an_id_is_a_uuid_in_canonical_form():
    key = uuid.uuid4()
    assert only(event(id=str(key).upper())).id == only(event(id=key.hex)).id == str(key)


def test_another_id_becomes_one_uuid_of_project_and_id():
    found = only(event(id="order-7")).id
    assert found is not None
    assert uuid.UUID(found).version == 5
    assert only(event(id="order-7")).id == found
    assert only(event(id="order-7", projectId="other")).id != found


def test_gzip_is_inflated():
    assert read(gzip.compress(json.dumps(event()).encode()), "gzip").events


def test_a_gzip_bomb_is_refused_unopened():
    reading = read(gzip.compress(b"[" + b" " * 50_000_000 + b"]"), "gzip")
    assert reading.problem is not None
    assert "more than 1048576 bytes when inflated" in reading.problem.message


@pytest.mark.parametrize(
    "body", [b"no gzip", gzip.compress(b"[]", mtime=0)[:-3], gzip.compress(b"[]", mtime=0) + b"more"]
)
def test_a_broken_gzip_body_is_refused(body: bytes):
    assert read(body, "gzip").problem is not None


def test_another_encoding_is_refused_by_name():
    reading = read(b"[]", "br")
    assert reading.problem is not None
    assert 'it is "br"' in reading.problem.message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nope",
        b"\xff\xfe",
        b"5",
        b'"text"',
        b"null",
        b"{",
        b'{"event": NaN}',
        b'{"event": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"timestamp": ' + b"9" * 5000 + b"}",
        b'{"projectId": "\xc3"}',
    ],
)
def test_what_is_no_event_is_refused_without_an_exception(body: bytes):
    reading = read(body)
    assert reading.events == []
    assert reading.problem or reading.refused
