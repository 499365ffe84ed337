"""Posts calls over a few connections that are kept open, and keeps the account of what became of their events.

A plain HTTP/1.1 client on asyncio streams: Tornado's own opens a connection a request, which can't hold the rate.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import Counter, deque
from typing import Any, Final, Self
from urllib.parse import SplitResult, urlsplit

import msgspec

from glimpse.traffic.tracker import Call

MAX_TRIES: Final = 10
ANSWER_WITHIN_S: Final = 10.0
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_MAX_PAUSE_S: Final = 5.0
_LATENCIES_KEPT: Final = 100_000


class Answer(msgspec.Struct, frozen=True):
    """What the server said; status 0 when it said nothing."""

    status: int
    headers: dict[str, str] = {}  # by lower-case name
    body: bytes = b""


class Account(msgspec.Struct):
    """What became of each event: `sent` is the sum of the others."""

    sent: int = 0
    accepted: int = 0
    dropped: Counter[str] = msgspec.field(default_factory=Counter)  # by reason
    rejected: Counter[str] = msgspec.field(default_factory=Counter)  # by what was wrong
    failed: Counter[str] = msgspec.field(default_factory=Counter)  # by status, after the last try
    retries: int = 0  # requests sent again
    latencies_ms: deque[float] = msgspec.field(default_factory=lambda: deque(maxlen=_LATENCIES_KEPT))

    def enter(self, call: Call, answer: Answer) -> None:
        """Enter a call's final answer."""
        self.sent += call.events
        if answer.status not in (200, 400):
            self.failed[f"status {answer.status}" if answer.status else "no answer"] += call.events
            return
        told = _read(answer.body)
        dropped, rejected = told.get("dropped", ()), told.get("rejected", ())
        self.dropped.update(entry["reason"] for entry in dropped)
        self.rejected.update(_message(entry) for entry in rejected)
        others = call.events - len(dropped) - len(rejected)
        if answer.status == 200:
            self.accepted += told.get("accepted", others)
        elif others:
            self.rejected[_message(told)] += others


def _read(body: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _message(told: dict[str, Any]) -> str:
    errors = told.get("errors") or [{}]
    return f"{errors[0].get('path', '')}: {errors[0].get('message', 'no reason given')}"


class Sender:
    """Posts calls to one address.

    Parameters
    ----------
    endpoint
        Where events go, such as ``http://localhost:5006/event``.
    connections
        How many requests may be under way at once.
    """

    def __init__(self, endpoint: str, *, connections: int = 16) -> None:
        self.account = Account()
        self._lines = [_Connection(urlsplit(endpoint)) for _ in range(connections)]
        self._waiting: asyncio.Queue[Call] = asyncio.Queue(maxsize=connections * 4)
        self._workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._workers = [asyncio.create_task(self._work(line)) for line in self._lines]
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        for line in self._lines:
            line.close()

    async def submit(self, call: Call) -> None:
        """Hand over a call; waits while all connections are busy and a queue of them is full."""
        await self._waiting.put(call)

    async def finish(self, *, within_s: float) -> None:
        """Wait until all calls have their answer, or the time is up."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), within_s)

    async def _work(self, line: _Connection) -> None:
        while True:
            call = await self._waiting.get()
            answer = Answer(0)
            try:
                answer = await self._post(line, call)
            finally:
                self.account.enter(call, answer)
                self._waiting.task_done()

    async def _post(self, line: _Connection, call: Call) -> Answer:
        """Post until the server has taken or refused it, as the SDK does: an event's id makes that safe."""
        answer = Answer(0)
        for tries in range(MAX_TRIES):
            started = time.perf_counter()
            answer = await line.post(call)
            if answer.status and answer.status not in _RETRIED:
                self.account.latencies_ms.append((time.perf_counter() - started) * 1000)
                return answer
            self.account.retries += 1
            await asyncio.sleep(_pause_s(answer, tries))
        return answer


def _pause_s(answer: Answer, tries: int) -> float:
    asked = answer.headers.get("retry-after", "")
    return min(_MAX_PAUSE_S, max(0.1 * 2**tries, float(asked) if asked.isdigit() else 0.0))


class _Connection:
    """One connection, opened when it is needed and again when it broke."""

    def __init__(self, address: SplitResult) -> None:
        self._address = address
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, call: Call) -> Answer:
        """Post a body; the answer's status is 0 when there was none."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reader, writer = await self._open()
                writer.write(self._request(call))
                answer = await _read_answer(reader)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError):
            self.close()
            return Answer(0)
        except asyncio.CancelledError:
            self.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if not self._streams:
            port = self._address.port or (443 if self._tls else 80)
            self._streams = await asyncio.open_connection(self._address.hostname, port, ssl=self._tls)
        return self._streams

    def _request(self, call: Call) -> bytes:
        visitor = call.visitor
        head = (
            f"POST {self._address.path} HTTP/1.1\r\n"
            f"Host: {self._address.netloc.rpartition('@')[2]}\r\n"
            f"User-Agent: {visitor.browser.user_agent}\r\n"
            f"Accept-Language: {visitor.language}\r\n"
            f"X-Forwarded-For: {visitor.address}\r\n"
            "Content-Type: text/plain;charset=UTF-8\r\n"
            f"Content-Length: {len(call.body)}\r\n\r\n"
        )
        return head.encode("latin-1") + call.body


async def _read_answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status_line, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(status_line.split(" ", 2)[1]), headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        chunks.append((await reader.readexactly(size + 2))[:-2])
    while (await reader.readuntil(b"\r\n")) != b"\r\n":
        pass  # trailers
    return b"".join(chunks)
