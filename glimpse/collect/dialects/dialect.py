"""What a dialect is: how the requests of one kind of tracker are read, and how they are answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from glimpse.collect.answers import Answer
from glimpse.collect.request import Request
from glimpse.events import AdmittedEvent, DropReason
from glimpse.settings import Settings
from glimpse.wire import Reading


class Outcome(NamedTuple):
    """What became of a request's events, once the buffer has confirmed those that are kept."""

    request: Request
    reading: Reading
    dropped: Sequence[tuple[int, DropReason]]  # of the reading's events, by their place in the batch
    admitted: Sequence[AdmittedEvent] = ()  # the others


class Dialect(NamedTuple):
    """One kind of tracker.

    `read` takes the request, the time of receipt in epoch milliseconds and the settings, and never raises for what a
    client sent. `answer` says what the tracker expects to hear.
    """

    name: str
    read: Callable[[Request, int, Settings], Reading]
    answer: Callable[[Outcome], Answer]


class Endpoint(NamedTuple):
    """One path of a dialect. Servers add `OPTIONS`, and `HEAD` where there is `GET`.

    `path` is exact, or has {names} that stand for one segment each; a slash at its end does not matter. Either
    `dialect` takes events there, or `reply` answers what a tracker asks for first.
    """

    path: str
    methods: tuple[str, ...]
    dialect: Dialect | None = None
    reply: Callable[[Request, Settings], Answer] | None = None
