"""The whole contract of the wire over HTTP, on a real server, buffer, drain and store: see `wire_cases`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import pytest
from edge_site import SERVERS, EdgeSite, HttpAnswer, Logged, edge_site, logged_errors
from raw_requests import GOOD, RAW_CASES, RawCase
from wire_cases import CASES, NOW, Case

from glimpse.collect.dialects import DIALECTS, Endpoint
from glimpse.events import Event


class Outcome(NamedTuple):
    answer: HttpAnswer
    rows: list[Event]  # as the drain took them
    errors: list[str]


class Told(NamedTuple):
    """What came of all cases, sent one after the other to one server."""

    outcomes: Mapping[str, Outcome]
    stored: Mapping[str, Event]


async def tell(site: EdgeSite, logged: Logged) -> Told:
    outcomes = {}
    for case in CASES:
        answer = await site.post(case.body, **case.headers)
        outcomes[case.name] = Outcome(answer, await site.drained(), logged.lines)
        logged.lines = []
    return Told(outcomes, await site.stored())


@pytest.fixture(scope="module", params=SERVERS)
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    async def all_cases() -> Told:
        async with edge_site(SERVERS[request.param], lambda: NOW) as site:
            return await tell(site, logged)

    with logged_errors() as logged:
        yield asyncio.run(all_cases())


def messages(answer: Mapping[str, Any]) -> str:
    """Return all errors of an answer as "path: message"."""
    lists = [answer.get("errors", []), *(line["errors"] for line in answer.get("rejected", []))]
    return "\n".join(f"{error['path']}: {error['message']}" for errors in lists for error in errors)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_case_is_answered_and_stored_as_the_contract_says(told: Told, case: Case):
    outcome = told.outcomes[case.name]
    answer = outcome.answer.json()
    assert outcome.answer.status == case.status, answer
    assert answer["success"] is (case.status == 200)
    assert case.answer in (None, answer)
    assert [part for part in case.says if part not in messages(answer)] == [], messages(answer)
    assert outcome.errors == []
    assert outcome.answer.headers["access-control-allow-origin"] == "*"
    rows = [told.stored[row.id] for row in outcome.rows]
    found = [columns_of(row, expected) for row, expected in zip(rows, case.rows, strict=True)]
    assert repr(found) == repr(list(case.rows))  # as text: 1, 1.0 and True are not the same here


def columns_of(row: Event, expected: Mapping[str, Any]) -> dict[str, Any]:
    found = msgspec.structs.asdict(row)
    return {name: found[name] for name in expected}


class RawOutcome(NamedTuple):
    answer: HttpAnswer
    events: int
    errors: list[str]
    next_status: int  # of an ordinary request afterwards


@pytest.fixture(scope="module", params=SERVERS)
def said(request: pytest.FixtureRequest) -> Iterator[Mapping[str, RawOutcome]]:
    async def all_cases() -> dict[str, RawOutcome]:
        outcomes = {}
        async with edge_site(SERVERS[request.param], lambda: NOW) as site:
            for case in RAW_CASES:
                answer = await site.say(case.words, hangs_up=case.hangs_up)
                events = len(await site.drained())
                then = await site.post(GOOD)
                await site.drained()
                outcomes[case.name] = RawOutcome(answer, events, logged.lines, then.status)
                logged.lines = []
        return outcomes

    with logged_errors() as logged:
        yield asyncio.run(all_cases())


@pytest.mark.parametrize("case", RAW_CASES, ids=[case.name for case in RAW_CASES])
def test_odd_http_is_answered_or_closed_and_the_server_goes_on(said: Mapping[str, RawOutcome], case: RawCase):
    outcome = said[case.name]
    assert outcome.answer.status in case.statuses, outcome.answer
    events = case.events if outcome.answer.status == 200 else 0
    assert (outcome.events, outcome.errors, outcome.next_status) == (events, [], 200)


ASKED = "content-type,content-encoding,authorization,x-umami-cache,x-requested-with,x-posthog-session-id,x-anything"
ENDPOINTS = [(endpoint, method) for dialect in DIALECTS for endpoint in dialect for method in endpoint.methods]


@pytest.fixture(scope="module", params=SERVERS)
def preflights(request: pytest.FixtureRequest) -> Mapping[tuple[str, str], tuple[HttpAnswer, HttpAnswer]]:
    async def all_endpoints() -> dict[tuple[str, str], tuple[HttpAnswer, HttpAnswer]]:
        answers = {}
        async with edge_site(SERVERS[request.param], lambda: NOW) as site:
            for endpoint, method in ENDPOINTS:
                path = re.sub(r"\{\w+\}", "key", endpoint.path)
                origin = {"Origin": "https://shop.example"}
                asks = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": ASKED}
                before = await site.post(b"", path, "OPTIONS", **origin, **asks)
                answers[endpoint.path, method] = before, await site.post(b"", path, method, **origin)
        return answers

    with logged_errors() as logged:
        answers = asyncio.run(all_endpoints())
    assert logged.lines == []
    return answers


@pytest.mark.parametrize(("endpoint", "method"), ENDPOINTS, ids=[f"{m} {e.path}" for e, m in ENDPOINTS])
def test_pages_of_any_site_may_send_to_every_endpoint(preflights: Any, endpoint: Endpoint, method: str):
    before, then = preflights[endpoint.path, method]
    assert before.status == 204
    assert method in before.headers["access-control-allow-methods"].split(", ")
    assert set(ASKED.split(",")) <= set(before.headers["access-control-allow-headers"].replace(" ", "").split(","))
    assert before.headers["access-control-max-age"] == "86400"
    for answer in (before, then):
        assert answer.status < 500
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
