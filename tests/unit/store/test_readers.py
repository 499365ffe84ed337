from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Thread
from typing import Any

import duckdb
import pytest
from waiting import wait_until

from glimpse.errors import QueryTooLarge, QueryTooSlow
from glimpse.store.readers import Readers

ENDLESS = "SELECT sum(hash(a.range + b.range)) FROM range(10_000_000) a, range(10_000_000) b"


def endless(cursor: duckdb.DuckDBPyConnection) -> Any:
    return cursor.execute(ENDLESS).fetchall()


def quick(cursor: duckdb.DuckDBPyConnection) -> Any:
    return cursor.execute("SELECT 42").fetchall()


@pytest.fixture
async def readers() -> AsyncIterator[Readers]:
    with duckdb.connect(config={"threads": 2}) as database:
        made = Readers([database.cursor() for _ in range(2)], time_limit_s=0.3)
        yield made
        made.close()


async def test_a_question_that_takes_too_long_ends_and_its_thread_is_free_again(readers: Readers):
    slow = [readers.run(endless) for _ in range(2)]
    found = await asyncio.gather(*slow, return_exceptions=True)
    assert [type(one) for one in found] == [QueryTooSlow, QueryTooSlow]
    assert "longer than 0.3 s" in str(found[0])
    await asyncio.to_thread(wait_until, lambda: not readers._under_way)
    assert await readers.run(quick) == [(42,)]


async def test_a_question_that_nobody_waits_for_any_more_ends():
    with duckdb.connect(config={"threads": 2}) as database:
        readers = Readers([database.cursor()], time_limit_s=3600)
        asked = asyncio.create_task(readers.run(endless))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await readers.run(quick) == [(42,)]  # there is one thread, so the other has ended
        readers.close()


async def test_a_slow_question_holds_up_no_other(readers: Readers):
    slow = asyncio.create_task(readers.run(endless))
    assert await readers.run(quick) == [(42,)]
    assert not slow.done()
    with pytest.raises(QueryTooSlow):
        await slow


async def test_closing_ends_what_is_under_way():
    with duckdb.connect(config={"threads": 2}) as database:
        readers = Readers([database.cursor()], time_limit_s=3600)
        asked = asyncio.create_task(readers.run(endless))
        await asyncio.sleep(0)
        await asyncio.to_thread(wait_until, lambda: readers._under_way)
        await asyncio.to_thread(readers.close)
        with pytest.raises((QueryTooSlow, asyncio.CancelledError)):  # it was ended, or had not begun
            await asked


async def test_a_question_that_needs_more_memory_than_there_is_is_told_so_and_the_next_is_answered():
    with duckdb.connect(config={"threads": 2, "memory_limit": "32MB", "temp_directory": ""}) as database:
        readers = Readers([database.cursor()], time_limit_s=60)
        with pytest.raises(QueryTooLarge, match="shorter span"):
            await readers.run(lambda cursor: cursor.execute("SELECT list(md5(i::VARCHAR)) FROM range(2000000) r(i)"))
        assert await readers.run(quick) == [(42,)]
        readers.close()


async def test_closing_waits_for_no_question_that_has_no_thread_yet():
    with duckdb.connect(config={"threads": 2}) as database:
        readers = Readers([database.cursor()], time_limit_s=3600)
        asked = [asyncio.create_task(readers.run(endless)) for _ in range(3)]
        await asyncio.sleep(0)
        running = list(readers._under_way)
        await asyncio.to_thread(wait_until, running[0].running, what="the first is on the only thread")
        closing = Thread(target=readers.close, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, 5)
        assert not closing.is_alive()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in found] == [QueryTooSlow, asyncio.CancelledError, asyncio.CancelledError]
