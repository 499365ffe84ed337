"""Times, clocks that are off, and how far off an event may be."""

from __future__ import annotations

import json
from collections.abc import Iterator

from wire_cases.case import DAY, HOUR, NOW, Case, envelope, event, kept, kept_batch, refused


def times() -> Iterator[Case]:
    for claimed, expected in (
        (NOW - 5, NOW - 5),
        (NOW + 0.9, NOW),
        ("2026-09-21T14:13:20Z", NOW),
        ("2026-09-21t14:13:20z", NOW),
        ("2026-09-21T14:13:20", NOW),
        ("2026-09-21 14:13:20", NOW),
        ("20260921T141320Z", NOW),
        ("2026-09-21T16:13:20.250+02:00", NOW + 250),
        ("2026-09-21T14:13:20.123456789Z", NOW + 123),
        ("2026-09-21T14:13:20,5Z", NOW + 500),
        ("2026-W39-1T14:13:20Z", NOW),
        ("2026-09-21", NOW - 51_200_000),
        (NOW + DAY, NOW + DAY),
        (NOW - 7 * DAY, NOW - 7 * DAY),
    ):
        yield kept(f"time {claimed}", event(timestamp=claimed), {"time": expected, "context": {}})
    for claimed in (NOW - 7 * DAY - 1, 0, -1, -1e308, NOW // 1000, "0001-01-01T00:00:00+14:00"):
        late = {"time": NOW, "context": {"timeWasReplaced": True}}
        yield kept(f"too old: {claimed}", event(timestamp=claimed), late)
    for claimed, quoted in (
        (NOW + DAY + 1, "1790086400001"),
        (1e308, "1e308"),
        (10**30, "1" + "0" * 30),
        ("9999-12-31T23:59:59-14:00", '"9999-12-31T23:59:59-14:00"'),
    ):
        said = f"timestamp: timestamp is more than 24 h ahead of the server's clock: {quoted}"
        yield refused(f"too far ahead: {claimed}", event(timestamp=claimed), said)
    for claimed in (
        "soon",
        "",
        str(NOW),
        "2026-13-01",
        "2026-09-21T23:59:60Z",
        "+275760-09-13T00:00:00.000Z",
        " 2026-09-21",
    ):
        yield refused(
            f"no time: {claimed!r}",
            event(timestamp=claimed),
            f"timestamp must be epoch milliseconds or ISO 8601; it is {json.dumps(claimed)}",
        )
    for claimed, word in ((True, "a boolean"), ([], "an array"), ({}, "an object")):
        yield refused(
            f"a time that is {word}", event(timestamp=claimed), "timestamp must be epoch milliseconds or an ISO", word
        )
    for off, name in ((59_000, "59 s"), (60_000, "60 s")):
        yield kept_batch(
            f"a clock {name} slow is left alone",
            envelope(event(timestamp=NOW - off), sentAt=NOW - off),
            {"time": NOW - off},
        )
    for off, name in (
        (61_000, "61 s slow"),
        (-61_000, "61 s fast"),
        (-400 * DAY, "a year fast"),
        (4000 * DAY, "years slow"),
    ):
        body = envelope(event(timestamp=NOW - off - 1000), sentAt=NOW - off)
        yield kept_batch(f"a clock {name} is corrected", body, {"time": NOW - 1000, "context": {}})
    yield kept_batch(
        "sentAt as ISO", envelope(event(timestamp="2026-09-21T11:13:20Z"), sentAt="2026-09-21T11:13:20Z"), {"time": NOW}
    )
    yield kept("sentAt of a single event", event(timestamp=NOW - HOUR - 7, sentAt=NOW - HOUR), {"time": NOW - 7})
    yield kept_batch(
        "a deferred body is not corrected",
        envelope(event(timestamp=NOW - HOUR), sentAt=NOW - HOUR, deferred=True),
        {"time": NOW - HOUR},
    )
    corrected_away = envelope(event(timestamp=NOW + DAY), sentAt=NOW - HOUR)
    yield refused("correction comes before the limits", corrected_away, "more than 24 h ahead")
    yield refused(
        "an unreadable sentAt",
        envelope(event(), sentAt="never"),
        'sentAt: sentAt must be epoch milliseconds or ISO 8601; it is "never"',
    )
    yield refused("deferred that is no boolean", envelope(event(), deferred="yes"), "deferred must be true or false")
