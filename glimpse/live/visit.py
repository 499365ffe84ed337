"""One session as the window knows it, and the rules of presence: active, idle or gone.

Active: a page of it is visible and was heard within 30 s. Idle: open otherwise. Gone: all its pages have left, or
nothing was heard for 300 s.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from glimpse.events import (
    HEARTBEAT,
    PAGE_HIDDEN,
    PAGE_LEAVE,
    PAGE_VIEW,
    PAGE_VISIBLE,
    PASSIVE_NAMES,
    Event,
    is_bounce,
)
from glimpse.live.tally import MinuteCounts

# A client's clock is corrected only beyond this: an event that is less late may have happened now.
LATE_AFTER_MS = 60_000
MOST_LEFT = 8  # pages whose leave is remembered
_SHOWN_BY = frozenset({PAGE_VIEW, PAGE_VISIBLE})
# Farewells overtake what was sent before them, and of a client whose clock is corrected each request by an error of its
# own: what claims to be so little younger may be older. It is less than the 15 s between heartbeats.
OVERTAKEN_MS = 10_000


class Presence(IntEnum):
    """Whether a session is there now."""

    GONE = 0
    IDLE = 1
    ACTIVE = 2


GONE, IDLE, ACTIVE = Presence  # an enumeration's own names take ten times as long to look up


def heard_at(event: Event) -> int:
    """Return when a sign of life was heard: on receipt, unless the event comes so late that it tells of the past."""
    received_at, time = event.received_at, event.time
    return received_at if received_at - time <= LATE_AFTER_MS else time


class Page:
    """One open page (tab) of a session."""

    __slots__ = ("heard_at", "hidden_at", "is_visible", "time")

    def __init__(self, time: int, heard: int) -> None:
        self.time = time  # the client's, of the last event
        self.heard_at = heard
        self.hidden_at = 0  # likewise the client's
        self.is_visible = True

    def hear(self, name: str, time: int) -> None:
        """Take up what is younger than all that was heard of the page."""
        self.time = time
        if name == PAGE_HIDDEN:
            self.is_visible, self.hidden_at = False, time
        elif name in _SHOWN_BY or (name == HEARTBEAT and time >= self.hidden_at + OVERTAKEN_MS):
            self.is_visible = True


class Visit:
    """A session's open pages, and what decides whether it is a bounce."""

    __slots__ = (
        "country", "due", "engaged_ms", "heard_at", "interactions", "is_bounce", "is_counted", "left", "minutes",
        "pages", "place", "presence", "source", "views",
    )  # fmt: skip

    def __init__(self) -> None:
        self.pages: dict[Any, Page] = {}
        self.left: dict[Any, int] = {}  # when pages were left, by the client's clock; the last few
        self.heard_at = 0
        self.presence = GONE
        self.due = 0  # when its presence may change by time alone; 0: never
        self.place: Any = None
        self.minutes: list[MinuteCounts] = []  # of the span, those with an event of it
        self.is_counted = False  # among the span's sessions, sources and countries
        self.source: str | None = None
        self.country: str | None = None
        self.views = 0
        self.interactions = 0
        self.engaged_ms = 0
        self.is_bounce = True

    def hear(self, event: Event, heard: int) -> None:
        """Take one event into account for presence; `heard` is when, as `heard_at` tells, and not after now."""
        key = event.context.get("pageId") or event.url
        page = self.pages.get(key)
        time, name = event.time, event.name
        if page is not None and time < page.time and heard > page.heard_at:
            heard = page.heard_at  # what was overtaken by younger news of the same page keeps nobody here
        if heard > self.heard_at:
            self.heard_at = heard
        if name == PAGE_LEAVE:
            # What was heard of the page after it left, as of one that came back from the cache, keeps it open.
            if page is None or time >= page.time:
                self.pages.pop(key, None)
                # Of a page that was never heard of, the view itself has been overtaken.
                self._note_left(key, time if page else time + OVERTAKEN_MS)
            return
        if self.left and key in self.left and time < self.left[key] + self._slack_ms(page, name):
            return  # older than the leave, and later to come in
        if page is None:
            page = self.pages[key] = Page(time, heard)
        if time >= page.time:
            page.hear(name, time)
        if heard > page.heard_at:
            page.heard_at = heard

    @staticmethod
    def _slack_ms(page: Page | None, name: str) -> int:
        """Return how much younger than a leave something must be; only a view says by itself that a page is back."""
        return OVERTAKEN_MS if page is None and name != PAGE_VIEW else 0

    def _note_left(self, key: Any, time: int) -> None:
        self.left[key] = max(time, self.left.pop(key, 0))
        if len(self.left) > MOST_LEFT:
            del self.left[next(iter(self.left))]

    def count(self, event: Event) -> None:
        """Take one event into account for whether it is a bounce; of one that is none any more nothing more is counted.

        Signs of life don't count.
        """
        name = event.name
        if name == PAGE_VIEW:
            self.views += 1
        elif name == PAGE_LEAVE:
            self.engaged_ms += event.engaged_ms
        elif name not in PASSIVE_NAMES:
            self.interactions += 1
        self.is_bounce = is_bounce(self.views, self.interactions, self.engaged_ms)

    def absorb(self, other: Visit) -> None:
        """Take what is known of a later visit that turned out to be the same."""
        # A page of its own may be hidden, and so silent; it is open until it says that it leaves.
        still_open = {key: page for key, page in self.pages.items() if page.time > other.left.get(key, 0)}
        self.pages, self.left = still_open | other.pages, self.left | other.left
        self.heard_at = max(self.heard_at, other.heard_at)
        self.place = self.place or other.place
        self.views += other.views
        self.interactions += other.interactions
        self.engaged_ms += other.engaged_ms
        are_bounces = self.is_bounce and other.is_bounce  # what is none never turns back
        self.is_bounce = are_bounces and is_bounce(self.views, self.interactions, self.engaged_ms)

    def look(self, now: int, idle_after: int, gone_after: int) -> tuple[Presence, int]:
        """Return the presence at a moment, and when it changes next if nothing more is heard (0: never)."""
        gone_at = self.heard_at + gone_after
        if not self.pages or now >= gone_at:
            return GONE, 0
        shown = [page.heard_at for page in self.pages.values() if page.is_visible]
        idle_at = max(shown) + idle_after if shown else 0
        return (ACTIVE, min(idle_at, gone_at)) if now < idle_at else (IDLE, gone_at)
