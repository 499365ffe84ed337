"""The edge's core: what happens to a request, from bytes to answer. It knows no server.

The order: read the body, refuse floods, drop what is not wanted, put a hash and a network in the address's place, write
to the buffer, and answer only then. Rule of this module: the usual way makes no task and no timer of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from glimpse.buffer import EventBuffer, Receipt
from glimpse.clock import steady_now_ms
from glimpse.collect.address import reader_for
from glimpse.collect.admission import Sender, Sorted, sort_events
from glimpse.collect.admitted import Salts, admitted
from glimpse.collect.answers import Answer
from glimpse.collect.books import Counts, Owed, count_all, count_dropped, count_refused, count_tokens, together
from glimpse.collect.dialects import GLIMPSE, Dialect, Outcome
from glimpse.collect.limits import Limits, Refusals, TooMany, Waiting
from glimpse.collect.metrics import Metrics
from glimpse.collect.remarks import with_remarks
from glimpse.collect.request import Headers, Request
from glimpse.collect.straight import UNAVAILABLE, KnownSender, StraightWay
from glimpse.errors import BufferUnavailable
from glimpse.patience import answer_within
from glimpse.projects import Projects
from glimpse.settings import Settings
from glimpse.wire import Reading, WithinLimits, claim_usual, first_look, is_usual, read_events, read_looked
from glimpse.wire.inflate import body_too_large

__all__ = ["Edge", "Request"]

log = logging.getLogger("glimpse.collect")

SALTS_WITHIN_S = 0.1  # so that with the write a 503 has left within 250 ms
_NOTHING = Sorted([], [])


class _Taking(msgspec.Struct):
    """A request that is being taken."""

    request: Request
    received_at: int  # epoch ms
    began: float
    known: KnownSender
    sorted: Sorted
    receipt: Receipt
    dialect: Dialect
    reading: Reading
    done: Callable[[Answer], None]

    def answer(self) -> Answer:
        """Return what to say once the buffer has confirmed."""
        dropped = self.sorted.dropped
        answer = self.dialect.answer(Outcome(self.request, self.reading, dropped, self.receipt.admitted))
        return with_remarks(answer, self.reading, dropped, self.sorted.layer)


class Edge:
    """Takes requests with events."""

    def __init__(
        self,
        buffer: EventBuffer,
        settings: Settings,
        metrics: Metrics | None = None,
        now_ms: Callable[[], int] = steady_now_ms,
        projects: Projects | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._buffer = buffer
        self._projects = projects or Projects()
        self._settings = settings
        self._now_ms = now_ms
        self.addresses = reader_for(settings)
        self.metrics = metrics or Metrics()
        self._owed = Owed()
        self._asking: set[asyncio.Task[None]] = set()
        self._limits = limits
        self._refusals = Refusals(buffer.append_soon, self.metrics)
        self._straight = StraightWay(buffer, self._projects, limits, self._refusals, self.metrics, self._owed)
        if limits:
            limits.show_in(self.metrics)

    async def close(self) -> None:
        """Give the buffer what has not been counted yet. Call it before the buffer's own."""
        if self._limits:
            await self._limits.close()
        self._refusals.write()

    async def take(self, request: Request, dialect: Dialect = GLIMPSE) -> Answer:
        """Answer one request; `receive` for those who wait."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(answer: Answer) -> None:
            if not answered.done():  # whoever waited may have gone
                answered.set_result(answer)

        self.receive(request, dialect, done)
        return await answered

    def receive(self, request: Request, dialect: Dialect, done: Callable[[Answer], None]) -> None:
        """Take one request and call `done` once, with a success only after Redis has confirmed all of its events.

        Bad input never raises. A buffer that is away is answered within 250 ms.
        """
        began, received_at = time.perf_counter(), self._now_ms()
        known = self._known_sender(request)
        if dialect is GLIMPSE and not self._owed and not request.headers.get("Content-Encoding"):
            reading = self._go_straight(request.body, known, received_at, began, done)
            if reading is None:
                return
        elif request.method == "HEAD":  # it asks what GET would be told, and nothing has happened
            reading = Reading()
        else:
            reading = dialect.read(request, received_at, self._settings)
            self.metrics.unknown_fields += reading.unknown_fields
        self._meter(_Taking(request, received_at, began, known, _NOTHING, Receipt([]), dialect, reading, done))

    def _go_straight(
        self, body: bytes, known: KnownSender, received_at: int, began: float, done: Callable[[Answer], None]
    ) -> Reading | None:
        """Settle what is plain, right or wrong; return what the body holds where it is not."""
        settings = self._settings
        looked, reading = first_look(body, settings), None
        if isinstance(looked, WithinLimits):
            if is_usual(looked, received_at, settings):
                is_taken = self._straight.take(looked, known, received_at, began, done)
                return None if is_taken else Reading([(0, claim_usual(looked))])
            reading = read_looked(looked, received_at, settings)
        if reading is None:
            reading = read_events(body, None, received_at, settings, looked)
        self.metrics.unknown_fields += reading.unknown_fields
        is_refused = not (reading.events or reading.is_batch) and self._straight.refuse(reading, known, began, done)
        return None if is_refused else reading

    def refuse_size(self, request: Request, dialect: Dialect, size: int, done: Callable[[Answer], None]) -> None:
        """Refuse a body that is too large to be read at all; the request's own body is empty."""
        reading = Reading(problem=body_too_large(size, self._settings))
        now_ms, began = self._now_ms(), time.perf_counter()
        known = self._known_sender(request)
        self._meter(_Taking(request, now_ms, began, known, _NOTHING, Receipt([]), dialect, reading, done))

    def _known_sender(self, request: Request) -> KnownSender:
        """Return who sends a request, worked out once for headers that come again."""
        headers = request.headers
        if type(headers) is not Headers:
            return self._read_sender(request)
        try:
            if headers.read_as.peer == request.peer:
                return headers.read_as
        except AttributeError:
            pass  # they are new
        headers.read_as = self._read_sender(request)
        return headers.read_as

    def _read_sender(self, request: Request) -> KnownSender:
        client = self.addresses.client_of(request.peer, request.headers)
        sender = Sender.of(request, client, allows_headless=self._settings.allows_headless)
        return KnownSender(request.peer, sender)

    def _meter(self, taking: _Taking) -> None:
        """Go on if project and network may send so much now; Redis is asked only when tokens at hand run short."""
        if self._limits is None:
            self._sort(taking)
            return
        counts = count_tokens(taking.reading, self._projects)
        verdict = self._limits.try_take(counts, taking.known.sender.client.network)
        if verdict is None:
            self._sort(taking)
        elif isinstance(verdict, Waiting):
            self._limits.lease(verdict, lambda late: self._refuse_flood(taking, late) if late else self._sort(taking))
        else:
            self._refuse_flood(taking, verdict)

    def _refuse_flood(self, taking: _Taking, limit: TooMany) -> None:
        """Refuse a whole request, at less than what taking it would cost; the ledger hears of it once a second."""
        counts = count_all(taking.reading, self._projects)
        taking.done(self._refusals.refuse(counts, limit, taking.began))

    def _sort(self, taking: _Taking) -> None:
        """Tell wanted events from others, and count those."""
        reading, projects = taking.reading, self._projects
        if reading.events:
            taking.sorted = sort_events(reading, taking.known.sender, projects)
        dropped = taking.sorted.dropped
        if dropped or reading.refused or reading.problem:
            taking.receipt = Receipt([], count_refused(reading, projects), count_dropped(reading, dropped, projects))
        self._admit(taking)

    def _admit(self, taking: _Taking) -> None:
        """Put a hash and a network in the address's place, and go on; once a day the salt has to be asked for first."""
        if not taking.sorted.wanted:
            self._append(taking)
            return
        salts = self._buffer.salts_now(taking.received_at)
        if salts is None:
            task = asyncio.get_running_loop().create_task(self._admit_later(taking))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        else:
            self._admit_with(salts, taking)

    async def _admit_later(self, taking: _Taking) -> None:
        try:
            async with answer_within(SALTS_WITHIN_S):
                salts = await self._buffer.salts(taking.received_at)
        except (BufferUnavailable, TimeoutError) as problem:
            self._finish(taking, str(problem) or "the buffer does not answer")
        else:
            self._admit_with(salts, taking)

    def _admit_with(self, salts: Salts, taking: _Taking) -> None:
        shards = self._buffer.shards.count
        taking.receipt.admitted = admitted(taking.sorted.wanted, taking.known, salts, taking.received_at, shards)
        self._append(taking)

    def _append(self, taking: _Taking) -> None:
        receipt = taking.receipt
        if not (receipt.admitted or receipt.rejected or receipt.dropped):
            self._finish(taking, None)
            return
        owed: Counts = {}
        if self._owed:
            owed = self._owed.taken()
            receipt = Receipt(receipt.admitted, together(owed, receipt.rejected), receipt.dropped)

        def written(problem: str | None) -> None:
            if problem is not None and owed:
                self._owed.add(owed)
            self._finish(taking, problem)

        self._buffer.append_soon(receipt, written)

    def _finish(self, taking: _Taking, problem: str | None) -> None:
        if problem is None:
            answer = taking.answer()
            self._count(taking.receipt)
        else:
            log.debug("a request could not be written: %s", problem)
            answer = self._unwritten(taking)
        self.metrics.request_seconds.observe(time.perf_counter() - taking.began)
        taking.done(answer)

    def _unwritten(self, taking: _Taking) -> Answer:
        """Bad input is bad input also without a buffer; for anything else the client has to come again."""
        if taking.reading.events:
            self.metrics.unavailable += 1
            return UNAVAILABLE
        self._owed.add(taking.receipt.rejected)
        self._count(taking.receipt)
        return taking.answer()

    def _count(self, receipt: Receipt) -> None:
        self.metrics.accepted += len(receipt.admitted)
        for (_, reason), count in receipt.rejected.items():
            self.metrics.rejected[reason] += count
        for (_, reason), count in receipt.dropped.items():
            self.metrics.dropped[reason] += count
