"""Which valid events are not wanted: one ordered tuple of steps, each of which may say why.

To add one, write `drop_something(event, sender)` and give it its place in `STEPS` and its reason in `DropReason`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from glimpse.collect.crawlers import MOST_JUDGED_CHARS, Kind, judge_user_agent
from glimpse.events import ClaimedEvent, DropReason


class Sender(NamedTuple):
    """What a request tells of who sends it."""

    user_agent: str
    is_prefetch: bool
    allows_headless: bool

    @classmethod
    def of(cls, headers: Mapping[str, str], *, allows_headless: bool) -> Sender:
        """Read it from a request's headers."""
        user_agent = (headers.get("User-Agent") or "")[:MOST_JUDGED_CHARS]
        return cls(user_agent, any(_is_prefetch(headers.get(name)) for name in _PURPOSES), allows_headless)


def drop_bot(event: ClaimedEvent, sender: Sender) -> DropReason | None:
    """Drop crawlers and headless browsers, whether they send themselves or a server passes their user agent on."""
    claimed = event.context.get("userAgent")
    for user_agent in {sender.user_agent, claimed} if claimed else (sender.user_agent,):
        kind = judge_user_agent(user_agent)
        if kind is Kind.CRAWLER or (kind is Kind.HEADLESS and not sender.allows_headless):
            return DropReason.BOT
    return None


def drop_prefetch(_event: ClaimedEvent, sender: Sender) -> DropReason | None:
    """Drop what a browser sends for a page that nobody has opened yet."""
    return DropReason.PREFETCH if sender.is_prefetch else None


# Sec-Purpose is the standard's name; the others are older ones that browsers and proxies still send.
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")

STEPS: tuple[Callable[[ClaimedEvent, Sender], DropReason | None], ...] = (drop_prefetch, drop_bot)


def reason_to_drop(event: ClaimedEvent, sender: Sender) -> DropReason | None:
    """Return the first step's reason not to take an event."""
    for step in STEPS:
        if reason := step(event, sender):
            return reason
    return None


def _is_prefetch(purpose: str | None) -> bool:
    return purpose is not None and purpose.strip().lower().startswith(("prefetch", "prerender", "preview"))
