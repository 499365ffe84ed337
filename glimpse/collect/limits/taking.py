"""What a request takes: tokens of one or more buckets, of all of them or of none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from glimpse.collect.limits.bucket import Bucket

Taken = Sequence[tuple[Bucket, int]]


class TooMany(NamedTuple):
    """Not now."""

    after_s: float
    kind: str  # whose limit it is: "project" or "network"
    rate: float  # events a second that it allows


class Waiting:
    """Redis has to be asked first: give it to `Limits.lease`."""

    __slots__ = ("done", "taken")

    def __init__(self, taken: Taken) -> None:
        self.taken = taken
        self.done: Callable[[TooMany | None], None] | None = None


Verdict = TooMany | Waiting | None  # None: come in


def short_of(taken: Taken) -> Taken:
    """Return the part for which there are too few tokens at hand."""
    return [(bucket, count) for bucket, count in taken if bucket.tokens < count and bucket.rate > 0]


def spend(taken: Taken) -> None:
    """Take tokens at hand."""
    for bucket, count in taken:
        bucket.tokens -= count


def let_through(taken: Taken) -> int:
    """Take what is at hand, owe the rest, and return how many events that are."""
    for bucket, count in taken:
        if bucket.tokens >= count:
            bucket.tokens -= count
        else:
            bucket.owe(count)
    for_network = sum(count for bucket, count in taken if bucket.kind == "network")
    return for_network or sum(count for _, count in taken)


def too_many(short: Taken, now: float) -> TooMany:
    """Refuse what there are too few tokens for, by the limit that keeps it longest."""
    return max(TooMany(bucket.wait_s(count, now), bucket.kind, bucket.rate) for bucket, count in short)
