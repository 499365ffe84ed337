"""What is no JSON is refused with the reason its sender needs; what a client cut within a character is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from glimpse.settings import Settings
from glimpse.wire import Reading, plain_body, read_events

NOW = 1_790_000_000_000
SETTINGS = Settings()


def body_with(value: str) -> bytes:
    return b'{"projectId":"shop","event":"x","timestamp":%d,"properties":{"v":%s}}' % (NOW, value.encode())


def read(body: bytes) -> Reading:
    return read_events(body, None, NOW, SETTINGS)


def refusal(body: bytes) -> tuple[str, str]:
    reading = read(body)
    assert reading.events == []
    error = reading.problem or reading.refused[0].errors[0]
    return error.path, error.message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is empty"),
        (b" \r\n\t", "it is empty"),
        (body_with("NaN"), "JSON has no NaN (byte "),
        (body_with("-Infinity"), "JSON has no -Infinity (byte "),
        (b"[" + body_with("Infinity") + b"]", "JSON has no Infinity (byte "),
        (body_with("1").decode().encode("utf-16"), "it looks like UTF-16"),
        (body_with("1").decode().encode("utf-16-be"), "it looks like UTF-16"),
        (b"\x1f\x8b\x08\x00", "it looks like gzip, which Content-Encoding has to say"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"a":' * 100_000, "it is nested too deeply"),
        (body_with('"\xe4"').decode().encode("latin-1"), "can't decode byte 0xe4"),
        (body_with("1") + b"{}", "trailing characters"),
        (body_with("1")[:-1], "truncated"),
    ],
)
def test_what_is_no_json_is_told_why(body: bytes, reason: str):
    path, message = refusal(body)
    assert path == ""
    assert message.startswith("the body must be JSON in UTF-8: ")
    assert reason in message


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        ("1e309", "properties.v", "is 1e309; a number must be from -1.8e308 to 1.8e308"),
        ("-1e309", "properties.v", "is -1e309; a number"),
        ('[0, {"deep": [1, 1e400]}]', "properties.v[1].deep[1]", "is 1e400; a number"),
        ("9" * 5000, "properties.v", f"is {'9' * 40}…; a whole number must be from -2^63 to 2^64-1"),
        ("9" * 1000, "properties.v", "allowed is -2^63 to 2^64-1"),
    ],
)
def test_a_number_that_nothing_can_hold_is_named_with_its_place(value: str, path: str, said: str):
    found_path, message = refusal(body_with(value))
    assert found_path == path
    assert said in message


def test_a_number_too_deep_to_be_named_is_refused_all_the_same():
    assert "out of range" in refusal(body_with("[" * 40 + "1e309" + "]" * 40))[1]


@pytest.mark.parametrize(
    ("escaped", "kept"),
    [
        (r"\ud83d", "\ufffd"),
        (r"cut \uD83D", "cut \ufffd"),
        (r"\ude00 low", "\ufffd low"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\ud83d\ude00\ude00", "😀\ufffd"),
        (r"\ud83d\u0041", "\ufffdA"),
        (r"\ud83d\n", "\ufffd\n"),
        (r"\\ud83d", r"\ud83d"),  # an escaped backslash and four letters
        (r"\\\ud83d", "\\\ufffd"),
        (r"\\ud83d\ude00", "\\ud83d\ufffd"),
        (r"\ud83d\\ude00", "\ufffd\\ude00"),
        (r"\ud83d\ude00", "😀"),
    ],
)
def test_half_a_character_is_replaced_and_its_event_kept(escaped: str, kept: str):
    single, batch = body_with(f'"{escaped}"'), b"[" + body_with(f'"{escaped}"') + b"]"
    for reading in (read(single), read(batch)):
        ((_, claimed),) = reading.events
        assert claimed.properties == {"v": kept}


@pytest.mark.parametrize("value", ["", "plain", "😀 ü", "\\", "\\u", "\\ud83d", 'a"b', "\x00"])
def test_text_of_whole_characters_is_left_as_it_is(value: Any):
    body = json.dumps({"v": value}).encode()
    assert plain_body(body, None, SETTINGS) == body


def test_an_event_within_an_event_of_a_batch_is_refused():
    inner = b'{"projectId":"shop","event":"x","timestamp":1,"events":[]}'
    assert refusal(b"[%s]" % inner) == ("events", "an event of a batch can't hold events of its own")
