"""Many visitors at once, against a server of this test's own."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from itertools import islice, takewhile
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from waiting import wait_until_async

from glimpse.errors import SettingsError
from glimpse.traffic.sender import Account, Answer
from glimpse.traffic.simulate import Simulation, calls, simulate
from glimpse.traffic.tracker import Call

NOON = 1_795_608_000_000


def planned(count: int = 400, **simulation: Any) -> list[Call]:
    return list(islice(calls(Simulation(seed=11, **simulation), lambda: NOON), count))


def events_of(sent: list[Call]) -> list[dict[str, Any]]:
    return [event for call in sent for event in json.loads(call.body)["events"]]


class Collector(RequestHandler):
    """Counts like the edge, and answers what the test wants."""

    async def post(self) -> None:
        house = self.application.settings["house"]
        house["seen"].append((self.request.headers, json.loads(self.request.body)))
        status = next(house["statuses"], 200)
        events = json.loads(self.request.body)["events"]
        self.set_status(status)
        if status == 503:
            self.set_header("Retry-After", "0")
            return
        is_bot = "bot" in self.request.headers["User-Agent"].lower()
        dropped = [{"index": index, "reason": "bot"} for index in range(len(events)) if is_bot]
        self.write({"success": True, "accepted": len(events) - len(dropped), "rejected": [], "dropped": dropped})


@pytest.fixture
async def house() -> AsyncIterator[dict[str, Any]]:
    sockets, port = bind_unused_port()
    house: dict[str, Any] = {"seen": [], "statuses": iter(()), "url": f"http://127.0.0.1:{port}"}
    server = HTTPServer(Application([("/event", Collector)], house=house, log_function=lambda _: None))
    server.add_socket(sockets)
    yield house
    server.stop()
    await server.close_all_connections()


def test_the_same_seed_sends_the_same_calls():
    assert planned() == planned()


def test_the_wanted_number_of_sessions_is_in_the_shop_at_once():
    opened, left, at_once = set(), set(), []
    for call in planned(3000, sessions=40):
        for event in json.loads(call.body)["events"]:
            opened.add(event["sessionId"])
            names_a_farewell = event["event"] == "page_leave"
            (left.add if names_a_farewell else left.discard)(event["sessionId"])
        at_once.append(len(opened) - len(left))
    assert max(at_once) <= 40
    settled = at_once[500:]
    assert sum(settled) / len(settled) > 25


def test_what_happens_at_the_same_moment_leaves_in_one_request():
    first = json.loads(planned(1)[0].body)
    assert [event["event"] for event in first["events"]] == ["session_start", "page_view"]
    assert first["projectId"] == "demo"
    assert (first["sentAt"], first["deferred"]) == (NOON, False)


def test_events_are_written_as_the_tracker_writes_them():
    page_views = [event for event in events_of(planned()) if event["event"] == "page_view"]
    for event in page_views:
        assert UUID(event["id"]).version == UUID(event["sessionId"]).version == 7
        context = event["context"]
        assert context["url"].startswith("http://localhost:5006/demo")
        assert urlsplit(context["url"]).path == context["path"]
        assert context["title"].endswith("Morrow") or context["title"].startswith("Morrow")
        assert set(context["screen"]) == {"width", "height", "colorDepth", "pixelRatio"}
        assert context["timezone"]
        assert ("previousPath" in context) == context["referrer"].startswith("http://localhost:5006")
    assert any("utm" in event["context"] for event in page_views)


def test_ids_are_never_used_twice_and_order_as_they_were_made():
    sent = planned(2000)
    ids = [event["id"] for event in events_of(sent)]
    assert len(set(ids)) == len(ids)
    for call in sent:
        own = [event["id"] for event in json.loads(call.body)["events"]]
        assert own == sorted(own)


def test_of_the_past_each_minute_is_as_busy_as_the_rate_says():
    past = list(takewhile(lambda call: call.is_deferred, calls(Simulation(seed=4, rate=5, past_s=1800), lambda: NOON)))
    minutes = Counter((NOON - event["timestamp"]) // 60_000 for event in events_of(past))
    assert set(minutes) == set(range(30))
    assert 0.7 < min(minutes.values()) / 300 < max(minutes.values()) / 300 < 1.3
    assert all(json.loads(call.body)["deferred"] for call in past)


def test_who_came_in_the_past_and_is_still_there_goes_on():
    sent = planned(1200, sessions=60, past_s=600)
    past, live = events_of([call for call in sent if call.is_deferred]), [call for call in sent if not call.is_deferred]
    assert max(event["timestamp"] for event in past) < NOON
    left = {event["sessionId"] for event in past if event["event"] == "page_leave"}
    open_then = {event["sessionId"] for event in past} - left
    heard = {event["sessionId"] for event in events_of(live)}
    assert len(open_then & heard) > 0.8 * len(open_then) > 10
    ids = [event["id"] for event in past + events_of(live)]
    assert len(set(ids)) == len(ids)


async def test_the_past_is_sent_at_once_and_the_rate_holds_from_then_on(house: dict[str, Any]):
    simulation = Simulation(url=house["url"], rate=50, sessions=20, seed=2, past_s=300, duration_s=0.4)
    report = await simulate(simulation)
    of_now = [body for _, body in house["seen"] if not body["deferred"]]
    of_then = [body for _, body in house["seen"] if body["deferred"]]
    assert sum(len(body["events"]) for body in of_then) > 500
    assert 5 < sum(len(body["events"]) for body in of_now) < 40
    assert report.account.sent == sum(len(body["events"]) for body in of_now + of_then)


async def test_each_visitor_has_an_address_and_a_browser_of_its_own(house: dict[str, Any]):
    await simulate(Simulation(url=house["url"], rate=400, sessions=60, seed=2, duration_s=0.5))
    headers = [headers for headers, _ in house["seen"]]
    assert len({seen["X-Forwarded-For"] for seen in headers}) > 20
    assert len({seen["User-Agent"] for seen in headers}) > 5


async def test_the_books_balance_with_what_the_server_saw(house: dict[str, Any]):
    report = await simulate(Simulation(url=house["url"], rate=800, sessions=300, seed=2, duration_s=1))
    account = report.account
    seen = Counter(
        "bot" if "bot" in headers["User-Agent"].lower() else "kept"
        for headers, body in house["seen"]
        for _ in body["events"]
    )
    assert account.accepted == seen["kept"]
    assert account.dropped["bot"] == seen["bot"] > 0
    assert account.sent == account.accepted + account.dropped.total()
    assert account.sent <= 800 * 1.02  # never more than was asked for
    assert not account.failed
    assert f"accepted {account.accepted}, dropped {account.dropped['bot']} (bot: " in str(report)


async def test_a_full_buffer_makes_the_same_events_come_again(house: dict[str, Any]):
    house["statuses"] = iter([503, 503])
    report = await simulate(Simulation(url=house["url"], rate=100, sessions=5, seed=2, duration_s=0.3))
    ids = [event["id"] for _, body in house["seen"] for event in body["events"]]
    assert report.account.retries == 2
    assert len(ids) > len(set(ids))
    assert report.account.sent == len(set(ids))
    assert not report.account.failed


async def test_a_server_that_is_not_there_is_told_as_failed():
    socket, port = bind_unused_port()
    socket.close()
    running = asyncio.create_task(simulate(Simulation(url=f"http://127.0.0.1:{port}", rate=50, sessions=3, seed=2)))
    told: list[int] = []
    await wait_until_async(lambda: told.append(1) or len(told) > 10)
    running.cancel()
    report = await running
    assert report.account.failed["no answer"] == report.account.sent > 0
    assert report.account.accepted == 0


async def test_it_goes_on_until_it_is_cancelled_and_then_reports(house: dict[str, Any]):
    seen: list[int] = []
    simulation = Simulation(url=house["url"], rate=200, sessions=20, seed=2)
    running = asyncio.create_task(simulate(simulation, on_progress=lambda account: seen.append(account.sent)))
    await wait_until_async(lambda: len(house["seen"]) > 60)
    running.cancel()
    report = await running
    assert report.account.accepted > 60
    assert seen[-1] == report.account.sent


def test_what_a_server_refuses_is_told_with_its_reason():
    account = Account()
    call = planned(1)[0]
    error = {"path": "events[0].timestamp", "message": "is more than 24 h ahead"}
    account.enter(call, Answer(400, {}, json.dumps({"success": False, "errors": [error]}).encode()))
    account.enter(call, Answer(413))
    assert account.rejected == {"events[0].timestamp: is more than 24 h ahead": 2}
    assert account.failed == {"status 413": 2}
    assert account.sent == 4


@pytest.mark.parametrize(
    "wrong", [{"url": "localhost:5006"}, {"url": "ftp://x"}, {"rate": 0}, {"sessions": 0}, {"past_s": 7 * 86_400}]
)
def test_what_can_not_be_simulated_is_said_at_once(wrong: dict[str, Any]):
    with pytest.raises(SettingsError):
        Simulation(**wrong)


def test_the_event_address_may_be_given_too():
    assert Simulation(url="http://localhost:5006/stats/event").site == "http://localhost:5006/stats"
