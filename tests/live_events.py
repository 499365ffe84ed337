"""Events and a clock for the tests of the window."""

from __future__ import annotations

from itertools import count
from typing import Any

from glimpse.events import Event
from glimpse.live import Window

START = 1_790_000_040_000  # a full minute
_numbers = count()


class Clock:
    """A clock that goes only when told to."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


def make_window(clock: Clock, **settings: Any) -> Window:
    return Window(**{"minutes": 30, "max_events": 10_000, "now_ms": clock} | settings)


def make_event(time: int, name: str = "page_view", session: str = "s1", tab: str = "t1", **facts: Any) -> Event:
    facts = {"project": "shop", "received_at": time, "id": f"e{next(_numbers)}", "page": "/"} | facts
    return Event(name=name, time=time, session_id=session, context={"pageId": tab}, **facts)
