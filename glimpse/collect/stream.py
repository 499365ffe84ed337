"""Live events and numbers as they come, for readers of `/api/v1/stream`.

Rule of this module: nothing is queued for a reader. It has a position in what came in, and takes what comes after that
when it can; what is taken at one position is read and encoded once for all with the same project and filter.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from glimpse.errors import GlimpseError, TooManyFilters
from glimpse.filters import Filter

if TYPE_CHECKING:  # an edge alone has none
    from glimpse.live import Window

LOOK_EVERY_S = 0.05
NUMBERS_EVERY_S = 1.0
HEARTBEAT_S = 15.0
SLOW_S = 30.0  # a reader that was behind for so long is dropped
_EXAMINED = 500  # events at once
_MOST_BYTES = 256 * 1024  # of one batch, but for a single event
_BATCHES_KEPT = 4

_encode = msgspec.json.Encoder().encode


class Message(NamedTuple):
    """One thing to tell a reader: event, numbers, gap, end or heartbeat."""

    kind: str
    data: bytes = b"{}"  # JSON without line ends
    id: str = ""  # of an event: what to resume from


class _Batch(NamedTuple):
    messages: list[Message]
    position: int


class Dropped(GlimpseError):
    """A reader is told no more; the message says why."""

    close_code = 1013  # of RFC 6455's registry: try again later


class TooSlow(Dropped):
    """A reader takes less than comes."""


HEARTBEAT = Message("heartbeat")
GAP = Message("gap", _encode({"message": "events before the next one are missing here; /api/v1/events has them"}))
TOO_SLOW = f"this reader was behind for {SLOW_S:.0f} s; ask again with last_id= and a filter that keeps less"


def farewell(problem: Dropped) -> Message:
    """Return what a reader is told before it is dropped."""
    return Message("end", _encode({"message": str(problem)}))


class Reader:
    """One connection, as a feed knows it."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.is_gone = False
        self.dropped: Dropped | None = None

    def leave(self, dropped: Dropped | None = None) -> None:
        """Want no more, or be told no more for a reason."""
        self.is_gone, self.dropped = True, dropped
        self.news.set()


class Feed:
    """What one project and filter have to tell. It looks into the window for as long as it has readers."""

    def __init__(self, window: Window, project: str, where: Filter | None) -> None:
        self._window = window
        self._project = project
        self._where = where
        self._batches: OrderedDict[int, _Batch] = OrderedDict()
        self._seen = -1
        self._counted_at = 0.0
        self._position = window.position()
        self._task: asyncio.Task[None] | None = None
        self.readers: set[Reader] = set()
        self.numbers = self._count(window.look(project, where))

    def join(self, reader: Reader) -> None:
        """Wake a reader whenever there is something to tell."""
        self.readers.add(reader)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look_for_ever())

    def leave(self, reader: Reader) -> None:
        """Wake it no more."""
        self.readers.discard(reader)
        if not self.readers and self._task is not None:
            self._task.cancel()
            self._task = None

    def begin(self, last_id: str | None) -> tuple[int, bool]:
        """Return where to begin: behind an event that was told already; else now. And whether some are missing."""
        known = self._window.position(last_id) if last_id else None
        return (self._latest() if known is None else known), bool(last_id) and known is None

    def is_level(self, position: int) -> bool:
        """Tell whether nothing has come in after a position."""
        return position >= self._latest()

    def batch(self, position: int) -> _Batch:
        """Return what comes next after a position."""
        found = self._batches.get(position)
        if found is None:
            found = self._read(position)
            if found.position > position:
                self._batches[position] = found
            if len(self._batches) > _BATCHES_KEPT:
                self._batches.popitem(last=False)
        return found

    def _read(self, position: int) -> _Batch:
        limit = _EXAMINED
        while True:
            arrivals = self._window.arrivals(self._project, self._where, position, limit)
            messages = [Message("event", _encode(event), event.id) for event in arrivals.events]
            if limit == 1 or sum(len(message.data) for message in messages) <= _MOST_BYTES:
                return _Batch([GAP, *messages] if arrivals.has_gap else messages, arrivals.position)
            limit = max(1, limit // 4)

    def _latest(self) -> int:
        return self._window.position() or 0

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                has_news = self._look()
            except TooManyFilters as problem:  # it was let go of while the loop stood still, and others came
                for reader in self.readers:
                    reader.leave(Dropped(str(problem)))
                return
            if has_news:
                for reader in self.readers:
                    reader.news.set()

    def _look(self) -> bool:
        version, position = self._window.look(self._project, self._where), self._latest()
        is_due = time.monotonic() - self._counted_at >= NUMBERS_EVERY_S
        if version != self._seen and is_due:
            self.numbers = self._count(version)
        elif position == self._position:
            return False
        self._position = position
        return True

    def _count(self, version: int) -> Message:
        self._seen, self._counted_at = version, time.monotonic()
        return Message("numbers", _encode(self._window.numbers(self._project, self._where).as_json()))


class Streams:
    """Every feed that has readers."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._feeds: dict[tuple[str, Filter | None], Feed] = {}

    def feed(self, project: str, where: Filter | None) -> Feed:
        """Return the feed of a project and filter: one for all readers.

        Raises
        ------
        TooManyFilters
            When as many filters as can be are being looked through.
        """
        feeds = {pair: feed for pair, feed in self._feeds.items() if feed.readers}
        found = feeds.get((project, where)) or Feed(self._window, project, where)
        self._feeds = feeds | {(project, where): found}
        return found


Send = Callable[[Sequence[Message]], Awaitable[None]]


async def follow(feed: Feed, reader: Reader, last_id: str | None, send: Send) -> None:
    """Tell a reader what comes until it leaves.

    Raises
    ------
    Dropped
        When it was behind for `SLOW_S`, or has been dropped for another reason.
    """
    position, has_gap = feed.begin(last_id)
    feed.join(reader)
    told = [GAP] if has_gap else []
    numbers, level_at = None, time.monotonic()
    try:
        while not reader.is_gone:
            reader.news.clear()
            batch = feed.batch(position)
            position, told = batch.position, [*told, *batch.messages]
            if feed.numbers is not numbers:
                numbers = feed.numbers
                told.append(numbers)
            if told:
                await _send_in_time(send, told)
                told = []
            if feed.is_level(position):
                level_at = time.monotonic()
                told = await _wait(reader)
            elif time.monotonic() - level_at > SLOW_S:
                raise TooSlow(TOO_SLOW)
            else:
                await asyncio.sleep(0)  # others have their turn
        if reader.dropped:
            raise reader.dropped
    finally:
        feed.leave(reader)


async def _send_in_time(send: Send, told: Sequence[Message]) -> None:
    try:
        await asyncio.wait_for(send(told), SLOW_S)
    except TimeoutError:
        raise TooSlow(TOO_SLOW) from None


async def _wait(reader: Reader) -> list[Message]:
    """Wait for news; after a while without, return what shows that the connection stands."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(reader.news.wait(), HEARTBEAT_S)
        return []
    return [HEARTBEAT]
