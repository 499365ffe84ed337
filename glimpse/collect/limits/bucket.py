"""What one process holds of one bucket: tokens it has leased and not spent yet."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

BURST_S = 1.0  # a full bucket holds the tokens of so many seconds
LOT_S = 0.1  # a process leases those of so many, at most
ASK_AGAIN_S = LOT_S / 2  # after it got less than it asked for
UNASKED_S = 0.01  # it spends those of so many without asking,
UNASKED_EVERY_S = 10.0  # once in so many
UNMETERED = 1000  # tokens of a bucket without a limit; once they are spent, the limit is looked up anew
MOST_KEPT = 10_000  # buckets of a generation, of which there are two; some 300 bytes each


class Ask(NamedTuple):
    """A lease that a process asks for."""

    key: str
    rate: float  # tokens a second
    capacity: float
    least: int  # fewer don't help whoever waits
    most: int
    few: int  # to keep at hand when the least can't be had


class Grant(NamedTuple):
    """What it got."""

    tokens: int
    left: int  # in the bucket; below 0 while that owes


class Bucket:
    """Tokens at hand. Its few fields are plain: `Limits.try_take` reads them for every request."""

    __slots__ = (
        "asked_at",
        "is_asked",
        "kind",
        "least",
        "left",
        "lot",
        "low",
        "name",
        "rate",
        "rate_of",
        "short_at",
        "shut_until",
        "tokens",
        "unasked",
        "wanted",
    )

    def __init__(self, kind: str, name: str, rate_of: Callable[[str], float]) -> None:
        self.kind, self.name, self.rate_of = kind, name, rate_of
        self.tokens = 0
        self.unasked = 0  # tokens at hand or spent that Redis has not been told of; the next lease pays them
        self.left = 0  # in Redis, when it last said so
        self.asked_at = -math.inf  # or last given tokens without asking
        self.short_at = -math.inf  # when Redis last gave less than it was asked for
        self.shut_until = -math.inf  # till then Redis has none for anybody, and is not asked
        self.is_asked = False  # an answer is under way, or will be
        self.least = self.wanted = 0  # what the smallest of those who wait needs, and all of them together
        self._follow(rate_of(name))

    def _follow(self, rate: float) -> None:
        """Take another limit: tokens at hand of the one before are not worth more than a lot of the new one."""
        self.rate = rate
        self.lot = int(rate * LOT_S)
        self.low = 0
        self.tokens = min(self.tokens, self.lot)

    def refresh(self, now: float) -> None:
        """Follow the limit, and put in what needs no asking: for a key without one, or that is rare."""
        rate = self.rate_of(self.name)
        if rate != self.rate:
            self._follow(rate)
        if self.rate <= 0:
            self.tokens = UNMETERED
        elif now - self.asked_at >= UNASKED_EVERY_S:
            few = int(self.rate * UNASKED_S)
            if self.tokens < few:
                self.unasked = min(few, self.unasked + few - self.tokens)
                self.tokens, self.low, self.asked_at = few, few // 2, now

    def is_empty(self, count: int, now: float, for_s: float = LOT_S) -> bool:
        """Say whether Redis was found to have too few, so lately that there is no need to ask before refusing."""
        return now - self.short_at < for_s and count - self.tokens > self.left - self.unasked

    def may_ask(self, now: float) -> bool:
        """Say whether to ask for a lease, ahead of need."""
        has_room = self.rate > 0 and self.tokens < self.lot + self.unasked
        return has_room and not self.is_asked and now - self.short_at >= ASK_AGAIN_S

    def owe(self, count: int) -> None:
        """Let events through that are to be paid later: a second's worth at most, however long Redis was away."""
        if self.rate > 0:
            self.unasked = min(self.unasked + count, max(self.unasked, int(self.capacity)))

    @property
    def key(self) -> str:
        """Its name in Redis, tagged for a cluster."""
        return f"glimpse:limit:{{{self.kind}:{self.name}}}"

    @property
    def capacity(self) -> float:
        """How many tokens a full one holds."""
        return max(1.0, self.rate * BURST_S)

    def wait_s(self, count: int, now: float) -> float:
        """Return the seconds until so many tokens can be there, if nobody else takes any."""
        missing = min(count, self.capacity) + self.unasked - self.tokens - self.left
        return max(0.0, missing / self.rate - (now - self.asked_at))

    def need(self, count: int) -> None:
        """Note what a request waits for."""
        self.least = min(self.least or count, count)
        self.wanted += count

    def ask(self) -> Ask:
        """Return the lease to ask for: what those who wait need, a lot beyond, and what was spent unasked."""
        missing = max(0, self.least - self.tokens)
        least = missing + self.unasked if missing else 0
        few = max(0, self.lot - self.tokens) + self.unasked
        most = max(least, few, self.wanted + self.lot - self.tokens + self.unasked)
        self.least = self.wanted = 0
        return Ask(self.key, self.rate, self.capacity, least, most, few)

    def put_in(self, ask: Ask, grant: Grant, now: float) -> None:
        """Take a lease in; the tokens that were spent unasked are paid first."""
        paid = min(self.unasked, grant.tokens)
        self.unasked -= paid
        self.tokens += grant.tokens - paid
        self.left, self.low, self.asked_at = grant.left, self.lot // 2, now
        self.short_at = now if grant.tokens < ask.most else -math.inf
        self.shut_until = self.short_at + ASK_AGAIN_S if self.left <= self.unasked else -math.inf


class Buckets:
    """The buckets of one kind. Those not used for long are forgotten: there are two generations, the older one goes."""

    def __init__(self, kind: str, rate_of: Callable[[str], float]) -> None:
        self._kind, self._rate_of = kind, rate_of
        self.young: dict[str, Bucket] = {}
        self._old: dict[str, Bucket] = {}

    def of(self, name: str) -> Bucket:
        """Return a name's bucket."""
        bucket = self.young.get(name)
        if bucket is None:
            bucket = self._old.get(name) or Bucket(self._kind, name, self._rate_of)
            if len(self.young) >= MOST_KEPT:
                self._old, self.young = self.young, {}
            self.young[name] = bucket
        return bucket
