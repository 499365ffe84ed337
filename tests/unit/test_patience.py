from __future__ import annotations

import asyncio
import time

import pytest

from glimpse.patience import answer_within


def hold_the_loop(seconds: float) -> None:
    time.sleep(seconds)


async def answer_that_takes_turns_of_the_loop() -> str:
    for _ in range(5):
        await asyncio.sleep(0.001)
        hold_the_loop(0.05)
    return "there"


async def test_a_loop_that_stood_still_has_not_used_up_the_time():
    async with answer_within(0.15):
        assert await answer_that_takes_turns_of_the_loop() == "there"
    with pytest.raises(TimeoutError):  # by the wall clock it is over
        async with asyncio.timeout(0.15):
            await answer_that_takes_turns_of_the_loop()


async def test_while_the_loop_runs_the_limit_holds():
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with answer_within(0.1):
            await asyncio.sleep(60)
    assert 0.08 < time.monotonic() - began < 1


async def test_nothing_fires_after_an_answer_in_time():
    async with answer_within(0.02):
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
