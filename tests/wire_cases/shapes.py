"""Single events, arrays and envelopes; fields, properties and context."""

from __future__ import annotations

from collections.abc import Iterator

from wire_cases.case import NOW, SESSION, Case, bare, envelope, event, kept, kept_batch, refused, text


def forms() -> Iterator[Case]:
    yield kept("a single event", event(), {"project": "shop", "name": "sent", "time": NOW, "received_at": NOW})
    yield kept_batch("an array", [event(event="a"), event(event="b")], {"name": "a"}, {"name": "b"})
    yield kept_batch("an array of one", [event()], {"name": "sent"})
    yield kept_batch("an empty array", [])
    yield kept_batch("an empty envelope", envelope(projectId="shop"))
    mixed = envelope(bare(), event(projectId="other"), projectId="shop")
    yield kept_batch("an envelope's project fills in", mixed, {"project": "shop"}, {"project": "other"})
    yield refused("an envelope without a project", envelope(bare()), "projectId: projectId is required and missing")
    yield refused("an envelope's bad project", envelope(bare(), projectId="a b"), "projectId must be 1 to 64", '"a b"')
    yield refused("events that are no array", {"events": {}}, "events: events must be an array; it is an object: {}")
    yield refused("an envelope in an array", [envelope(event())], "can't hold events of its own")
    yield Case(
        "a mixed batch",
        text([event(event="good"), event(event=5), 7, event(event="also good"), {}]),
        200,
        ("event: event must be a string; it is a number: 5", "it is a number: 7", "timestamp is required and missing"),
        ({"name": "good"}, {"name": "also good"}),
    )
    all_bad = "event: event must be a string; it is null"
    yield refused("a batch with no good event", [{}, event(event=[])], "projectId is required", "it is an array: []")
    yield refused(
        "null for a required field",
        event(event=None),
        all_bad.partition(";")[0].replace("must be a string", "is required and missing"),
    )
    yield kept("null for what is optional", event(id=None, sessionId=None, properties=None, context=None, traits=None))
    yield kept("unknown fields are ignored", event(colour="red", nested={"a": [1]}), {"properties": {}, "context": {}})
    for content_type in (
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "\xff;;",
        "",
    ):
        yield kept(f"content type {content_type!r}", event(), Content_Type=content_type)
    yield kept("a client's session", event(projectId="own", sessionId=SESSION), {"session_id": SESSION})
    yield kept("an id is kept", event(id=SESSION.upper()), {"id": SESSION})
    yield kept("an id without hyphens", event(id=SESSION[::-1].replace("-", "a")[:32]), {"name": "sent"})
    yield kept(
        "persons are not stored",
        event(userId="u1", anonymousId=5, traits={"email": "a@b.example"}),
        {"properties": {}, "context": {}},
    )


def contents() -> Iterator[Case]:
    properties = {"a": [1, 2.5, None, True, {"ö": "ü"}], "": "no key", "__proto__": {"x": 1}, "id": "mine"}
    yield kept("properties of all kinds", event(properties=properties), {"properties": properties})
    odd = {
        "colour": {"deep": [1]},
        "connection": {"effectiveType": "4g"},
        "timezone": "Europe/Vienna",
        "previousPath": "/",
    }
    known = {
        "path": "/hats",
        "title": "Hats <b>",
        "language": "de",
        "viewport": "390x844",
        "screen": {"width": 1440, "height": 900},
    }
    columns = {"page": "/hats", "title": "Hats <b>", "language": "de", "viewport": "390x844", "screen": "1440x900"}
    yield kept("a context's unknown keys", event(context=odd | known), {"context": odd, **columns})
    screen = {"screen": {"width": 1440, "height": 900, "colorDepth": 24, "pixelRatio": 1.5}, "utm": {"id": "7"}}
    left = {"screen": {"colorDepth": 24, "pixelRatio": 1.5}, "utm": {"id": "7"}}
    yield kept("what of a screen has no column", event(context=screen), {"screen": "1440x900", "context": left})
    url = {"url": "https://shop.example/hats?q=1#top", "referrer": "https://news.example/a?b"}
    yield kept(
        "an address", event(context=url), {"host": "shop.example", "page": "/hats", "url": "https://shop.example/hats"}
    )
    for name, value in (("url", 4), ("title", []), ("userAgent", {}), ("language", True)):
        yield refused(
            f"context.{name} of another type",
            event(context={name: value}),
            f"context.{name}: context.{name} must be a string",
        )
    yield refused(
        "properties that are no object", event(properties=[1]), "properties must be an object; it is an array: [1]"
    )
    yield refused("a context that is no object", event(context="x"), 'context must be an object; it is a string: "x"')
    yield refused(
        "several faults at once", event(event=1, projectId=2), "event must be a string", "projectId must be a string"
    )
