"""Each limit: at its value, and one past it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from wire_cases.case import Case, event, kept, kept_batch, nested, padded, refused, sized


def limits() -> Iterator[Case]:
    yield kept_batch("a body of 512 KiB", padded(512 * 1024), {"name": "sent"})
    yield refused(
        "a body over 512 KiB", padded(512 * 1024 + 1), "has 524289 bytes; at most 524288 are allowed", status=413
    )
    yield kept_batch("1 MiB inflated", gzip.compress(padded(2**20), mtime=0), {"name": "sent"}, Content_Encoding="gzip")
    yield refused(
        "over 1 MiB inflated",
        gzip.compress(padded(2**20 + 1), mtime=0),
        "more than 1048576 bytes when inflated",
        status=413,
        Content_Encoding="gzip",
    )
    yield kept_batch("500 events", [event()] * 500, *[{"name": "sent"}] * 500)
    yield refused(
        "501 events", [event()] * 501, "events: the batch has 501 events; at most 500 are allowed", status=413
    )
    yield kept("an event of 32 KiB", sized(32 * 1024))
    yield refused("an event over 32 KiB", sized(32 * 1024 + 1), "the event has 32769 bytes; at most 32768 are allowed")
    deep = {"properties": {"a": nested(14)}}
    yield kept("depth 16", event(**deep), deep)
    yield refused(
        "depth 17", event(properties={"a": nested(15)}), "properties.a[0]", "is nested 17 deep; allowed is at most 16"
    )
    yield refused("depth 17 in the context", event(context={"a": nested(15)}), "context.a[0]", "is nested 17 deep")
    many = {"properties": {str(i): i for i in range(100)}}
    yield kept("100 properties", event(**many), many)
    yield refused(
        "101 properties",
        event(properties={str(i): i for i in range(101)}),
        "properties has 101 keys; allowed is at most 100",
    )
    for part in ("properties", "context"):
        at, over = {part: {"ü" * 128: "😀" * 4096}}, {part: {"ü" * 129: 1}}
        yield kept(f"a key of 128 and a string of 4096 in {part}", event(**at), at)
        yield refused(f"a key of 129 in {part}", event(**over), f"{part} has a key of 129 code points", "at most 128")
        long = {part: {"a": ["x" * 4097]}}
        yield refused(
            f"a string of 4097 in {part}", event(**long), f"{part}.a[0] has 4097 code points; allowed is at most 4096"
        )
    yield kept("a title of 4096", event(context={"title": "ü" * 4096}), {"title": "ü" * 4096})
    for name in ("id", "userId", "anonymousId"):
        yield kept(f"{name} of 4096", event(**{name: "x" * 4096}))
        yield refused(
            f"{name} of 4097", event(**{name: "x" * 4097}), f"{name} has 4097 code points; allowed is at most 4096"
        )
    yield kept("a name of 200", event(event="😀" * 200), {"name": "😀" * 200})
    yield refused("a name of 201", event(event="x" * 201), "event has 201 code points; at most 200 are allowed")
    for name in ("", " \t "):
        yield refused(f"the name {name!r}", event(event=name), f"event must be a name; it is {json.dumps(name)}")
    project = "AZaz09._:-" + "x" * 54
    yield kept("a project of 64", event(projectId=project), {"project": project})
    for bad in ("x" * 65, "", "a b", "a\n", "ä", "a/b", "shop\0"):
        yield refused(
            f"the project {bad[:5]!r}",
            event(projectId=bad),
            "projectId must be 1 to 64 of the characters A-Z a-z 0-9 . _ : -",
        )
    yield kept("a session of 64", event(sessionId="😀" * 64))
    yield refused("a session of 65", event(sessionId="s" * 65), "sessionId has 65 code points; at most 64 are allowed")
