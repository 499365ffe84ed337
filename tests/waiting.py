"""Wait for something to become true, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(probe: Callable[[], T], *, timeout_s: float = 25.0, every_s: float = 0.02, what: str = "") -> T:
    """Return the first truthy answer of `probe`; fail with what was last seen."""
    deadline = time.monotonic() + timeout_s
    pause = time.sleep
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what or probe} (last seen: {answer!r})")
        pause(every_s)


async def wait_until_async(
    probe: Callable[[], T], *, timeout_s: float = 25.0, every_s: float = 0.02, what: str = ""
) -> T:
    """Do the same without blocking the loop."""
    deadline = time.monotonic() + timeout_s
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what or probe} (last seen: {answer!r})")
        await asyncio.sleep(every_s)
    return answer
