"""The straight way of a plain event, and the whole way that all others go: both put the same into the buffer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from glimpse.buffer import EventBuffer
from glimpse.collect.core import Edge
from glimpse.collect.request import Headers, Request
from glimpse.events import AdmittedEvent
from glimpse.settings import Settings

NOW = 1_790_000_000_000
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"
PLAIN = {"projectId": "shop", "event": "Page View", "timestamp": NOW, "id": "0192F3A4-7c00-7000-8000-1234567890ab"}


@pytest.fixture
def edge(buffer: EventBuffer, settings: Settings) -> Edge:
    return Edge(buffer, settings, now_ms=lambda: NOW)


async def kept(buffer: EventBuffer) -> list[AdmittedEvent]:
    return [event for entry in await buffer.read() for event in entry.events]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": "my own id"},
        {"sessionId": "s1", "properties": {"a": {"b": [1, None, "x"]}}},
        {"sessionId": "", "properties": None, "context": None},
        {"context": {"userAgent": FIREFOX, "url": "https://shop.test/", "screen": {"width": 1}, "own": [1]}},
        {"context": {"userAgent": f"{FIREFOX} {'x' * 600}"}},
        {"userId": "u", "anonymousId": 5, "traits": {"email": "a@b.test"}},
        {"timestamp": NOW + 1000},
    ],
)
@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("203.0.113.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "2001:db8::7, 127.0.0.1"}),
        ("", {}),
        ("203.0.113.7", {"User-Agent": ""}),
    ],
)
async def test_an_event_alone_is_kept_as_it_is_in_a_batch(
    edge: Edge, buffer: EventBuffer, changes: dict[str, Any], peer: str, headers: dict[str, str]
):
    headers = Headers({"User-Agent": CHROME} | headers)
    for body in (PLAIN | changes, [PLAIN | changes]):
        assert (await edge.take(Request(json.dumps(body).encode(), headers, peer))).status == 200
    alone, in_batch = await kept(buffer)
    assert alone == in_batch
    assert (await buffer.counts("shop"))["accepted"] == {"": 2}
    assert edge.metrics.accepted == 2


async def test_headers_that_come_again_from_another_peer_are_another_client(edge: Edge, buffer: EventBuffer):
    headers = Headers({"User-Agent": CHROME})
    for peer in ("203.0.113.7", "198.51.100.7", "203.0.113.7"):
        await edge.take(Request(json.dumps(PLAIN).encode(), headers, peer))
    first, second, third = await kept(buffer)
    assert [event.network for event in (first, second)] == ["203.0.113.0/24", "198.51.100.0/24"]
    assert first.visitor == third.visitor != second.visitor


async def test_visitors_behind_one_address_differ_by_project_and_browser(edge: Edge, buffer: EventBuffer):
    headers = Headers({"User-Agent": CHROME})
    several = ({}, {"projectId": "blog"}, {"context": {"userAgent": FIREFOX}}, {})
    for changes in several:
        await edge.take(Request(json.dumps(PLAIN | changes).encode(), headers, "203.0.113.7"))
    visitors = [event.visitor for event in await kept(buffer)]
    assert (visitors[0] == visitors[3], len(set(visitors))) == (True, 3)
