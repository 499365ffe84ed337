"""Odd text and odd numbers: what is kept as it is, what is replaced, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

from wire_cases.case import NOW, Case, event, kept, kept_batch, refused, text, with_value


def oddities() -> Iterator[Case]:
    yield kept("a byte order mark", b"\xef\xbb\xbf" + text(event()))
    yield kept("white space around it", b" \r\n\t" + text(event()) + b"\n")
    for name, value in {
        "NUL": "a\0b",
        "bidi marks": "\u202eevil\u2066\u200f",
        "emoji": "👩‍👩‍👧🏳️‍🌈",
        "no characters": "\ufffe\uffff\ufdd0",
        "combining marks": "e" + "\u0301" * 50,
        "line separators": "\u2028\u2029\x85\x7f\x1b[31m",
        "markup": "<script>alert(1)</script>{{x}}",
        "the last code point": "\U0010ffff",
        "a zero-width space": "\u200b",
    }.items():
        told = {"properties": {value: value}}
        body = json.dumps(event(event=f"n{value}", sessionId=value[:64], context={"title": value, "x": value}, **told))
        yield kept(
            f"{name} as escapes", body.encode(), {"name": f"n{value}", "title": value, "context": {"x": value}, **told}
        )
        if not any(c < " " for c in value):
            yield kept(f"{name} in UTF-8", event(event=value, **told), {"name": value, **told})
    for raw, value in (
        (r'"\ud800"', "\ufffd"),
        (r'"cut \ud83d"', "cut \ufffd"),
        (r'"\ude00\ud83d\ude00"', "\ufffd😀"),
        ("1e308", 1e308),
        ("-1.7976931348623157e308", -1.7976931348623157e308),
        ("5e-324", 5e-324),
        ("1e-400", 0.0),
        ("-0", 0),
        ("-0.0", -0.0),
        ("0.1", 0.1),
        ("0.30000000000000004", 0.1 + 0.2),
        ("9007199254740993", 2**53 + 1),
        (str(2**64 - 1), 2**64 - 1),
        (str(-(2**63)), -(2**63)),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("[]", []),
        ("{}", {}),
        ("null", None),
        ("false", False),
    ):
        yield kept(f"the value {raw}", with_value(raw), {"properties": {"v": value}})
    yield kept_batch("half a character in a batch", b"[%s]" % with_value(r'"\ud800"'), {"properties": {"v": "\ufffd"}})
    yield kept("a field twice: the last counts", text(event())[:-1] + b',"event":"last"}', {"name": "last"})
    twice = text(event())[:-1] + b',"context":5,"context":{}}'
    yield refused(
        "a field twice, first of another type", twice, "a field is there twice, first with a value of another"
    )
    for raw in (str(2**64), str(-(2**63) - 1), "1" + "0" * 1000):
        yield refused(
            f"the integer {raw[:22]}", with_value(raw), f"properties.v: properties.v is {raw[:70]}", "-2^63 to 2^64-1"
        )
    yield refused("an integer of 5001 digits", with_value("1" + "0" * 5000), "properties.v is 1000", "-2^63 to 2^64-1")
    yield refused("1e309", with_value("1e309"), "properties.v is 1e309; a number must be from -1.8e308 to 1.8e308")
    yield Case(
        "1e309 in a batch",
        b"[%s,%s]" % (text(event()), with_value("1e309")),
        200,
        ("properties.v is 1e309",),
        ({"name": "sent"},),
    )
    for raw in ("NaN", "Infinity", "-Infinity"):
        yield refused(raw, with_value(raw), f"must be JSON in UTF-8: JSON has no {raw}")
        yield refused(f"{raw} as time", text(event()).replace(str(NOW).encode(), raw.encode()), f"JSON has no {raw}")
    yield refused("Latin-1", with_value('"ä"').decode().encode("latin-1"), "must be JSON in UTF-8")
    yield refused("a surrogate in UTF-8", with_value('"_"').replace(b"_", b"\xed\xa0\x80"), "must be JSON in UTF-8")
    for encoding in ("utf-16", "utf-16-be", "utf-32"):
        yield refused(encoding, json.dumps(event()).encode(encoding), "it looks like UTF-16 or UTF-32")
