"""The edge's core: what happens to a request, from bytes to answer. It knows no server.

The order: read the body, drop what is not wanted, put a hash and a network in the address's place, write to the
buffer, and answer only then.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from glimpse.buffer import EventBuffer, Receipt
from glimpse.collect.address import AddressReader, ClientAddress
from glimpse.collect.admission import Sender, reason_to_drop
from glimpse.collect.answers import Answer, refusal, unavailable, verdict
from glimpse.collect.crawlers import MOST_JUDGED_CHARS
from glimpse.collect.metrics import Metrics
from glimpse.collect.visitor import visitor_hash
from glimpse.errors import BufferUnavailable
from glimpse.events import AdmittedEvent, ClaimedEvent, DropReason
from glimpse.patience import answer_within
from glimpse.settings import Settings
from glimpse.wire import FieldError, Reading, read_events
from glimpse.wire.inflate import body_too_large

log = logging.getLogger("glimpse.collect")

MOST_OWED_KEYS = 1000
ANSWER_WITHIN_S = 0.235  # so that a 503 has left within 250 ms


class Request(msgspec.Struct, frozen=True):
    """What any server can give: the body, the peer's address, headers by name in Http-Header-Case."""

    body: bytes
    headers: Mapping[str, str]
    peer: str


def wall_clock_ms() -> int:
    """Return the time, epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Edge:
    """Takes requests with events."""

    def __init__(
        self,
        buffer: EventBuffer,
        settings: Settings,
        metrics: Metrics | None = None,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        self._buffer = buffer
        self._settings = settings
        self._now_ms = now_ms
        self.addresses = AddressReader(settings.trusted_proxies)
        self.metrics = metrics or Metrics()
        # Refusals that were answered while the buffer could not count them; the next write brings them along.
        self._owed: Counter[tuple[str, str]] = Counter()

    async def take(self, request: Request) -> Answer:
        """Answer one request; 200 only after Redis has confirmed all of its events. Bad input never raises."""
        began = time.perf_counter()
        received_at = self._now_ms()
        reading = read_events(request.body, request.headers.get("Content-Encoding"), received_at, self._settings)
        self.metrics.unknown_fields += reading.unknown_fields
        wanted, dropped = self._sort(reading, request)
        receipt = Receipt([], _count_refused(reading), _count_dropped(reading, dropped))
        answer = verdict(reading, dropped)
        try:
            async with answer_within(ANSWER_WITHIN_S):  # in all: the salt, the turn in the queue, and the write
                receipt.admitted = await self._admit(wanted, request, received_at)
                await self._append(receipt)
        except (BufferUnavailable, TimeoutError) as problem:
            log.debug("a request could not be written: %s", problem)
            answer = self._unwritten(receipt, answer, is_all_refused=not reading.events)
        self.metrics.request_seconds.observe(time.perf_counter() - began)
        return answer

    async def refuse_size(self, size: int) -> Answer:
        """Refuse a body that is too large to be read at all."""
        problem = body_too_large(size, self._settings)
        receipt = Receipt([], _count_refused(Reading(problem=problem)))
        answer = refusal([problem])
        try:
            async with answer_within(ANSWER_WITHIN_S):
                await self._append(receipt)
        except (BufferUnavailable, TimeoutError):
            return self._unwritten(receipt, answer, is_all_refused=True)
        return answer

    def _sort(self, reading: Reading, request: Request) -> tuple[list[ClaimedEvent], list[tuple[int, DropReason]]]:
        sender = Sender.of(request.headers, allows_headless=self._settings.allows_headless)
        wanted: list[ClaimedEvent] = []
        dropped: list[tuple[int, DropReason]] = []
        for index, event in reading.events:
            if reason := reason_to_drop(event, sender):
                dropped.append((index, reason))
            else:
                wanted.append(event)
        return wanted, dropped

    async def _admit(self, wanted: list[ClaimedEvent], request: Request, received_at: int) -> list[AdmittedEvent]:
        if not wanted:
            return []
        salts = await self._buffer.salts(received_at)
        client = self.addresses.client_of(request.peer, request.headers)
        user_agent = request.headers.get("User-Agent") or ""
        return [_admitted(event, client, user_agent, salts, received_at) for event in wanted]

    async def _append(self, receipt: Receipt) -> None:
        if not (receipt.admitted or receipt.rejected or receipt.dropped):
            return
        owed, self._owed = self._owed, Counter()
        try:
            rejected = dict(owed + Counter(receipt.rejected)) if owed else receipt.rejected
            await self._buffer.append(Receipt(receipt.admitted, rejected, receipt.dropped))
        except (BufferUnavailable, asyncio.CancelledError):
            self._owed.update(owed)
            raise
        self._count(receipt)

    def _unwritten(self, receipt: Receipt, answer: Answer, *, is_all_refused: bool) -> Answer:
        """Bad input is bad input also without a buffer; for anything else the client has to come again."""
        if not is_all_refused:
            self.metrics.unavailable += 1
            return unavailable("events can't be taken at the moment; try again")
        for (project, reason), count in receipt.rejected.items():
            self._owed[(project if len(self._owed) < MOST_OWED_KEYS else "", reason)] += count
        self._count(receipt)
        return answer

    def _count(self, receipt: Receipt) -> None:
        self.metrics.accepted += len(receipt.admitted)
        for (_, reason), count in receipt.rejected.items():
            self.metrics.rejected[reason] += count
        for (_, reason), count in receipt.dropped.items():
            self.metrics.dropped[reason] += count


def _admitted(
    event: ClaimedEvent,
    client: ClientAddress,
    sender_agent: str,
    salts: tuple[bytes, bytes | None],
    received_at: int,
) -> AdmittedEvent:
    today, before = salts
    # A server that passes events on says whose they are by context.userAgent.
    user_agent = (event.context.get("userAgent") or sender_agent)[:MOST_JUDGED_CHARS]
    return AdmittedEvent(
        project=event.project,
        id=event.id or str(uuid.uuid4()),
        name=event.name,
        time=event.timestamp,
        received_at=received_at,
        client_session=event.session_id,
        visitor=visitor_hash(today, event.project, client.text, user_agent),
        visitor_before=visitor_hash(before, event.project, client.text, user_agent) if before else None,
        network=client.network,
        is_private_peer=client.is_private,
        user_agent=user_agent,
        properties=event.properties,
        context=event.context | {"timeWasReplaced": True} if event.time_was_replaced else event.context,
    )


def _count_refused(reading: Reading) -> dict[tuple[str, str], int]:
    if reading.problem:
        return {(reading.problem_project, str(reading.problem.reason)): reading.problem_count}
    return dict(Counter((refused.project, _reason(refused.errors)) for refused in reading.refused))


def _reason(errors: list[FieldError]) -> str:
    return str(errors[0].reason)


def _count_dropped(reading: Reading, dropped: list[tuple[int, DropReason]]) -> dict[tuple[str, str], int]:
    if not dropped:
        return {}
    projects = dict(reading.events)
    return dict(Counter((projects[index].project, str(reason)) for index, reason in dropped))
