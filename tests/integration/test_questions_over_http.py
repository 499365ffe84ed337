"""Every question over HTTP, and the document that describes them: what it says is what is answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import NOON, admitted, event_of
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from glimpse.buffer import EventBuffer
from glimpse.collect.api_document import document
from glimpse.collect.core import Edge
from glimpse.collect.question_routes import ASKED_BY_NAME
from glimpse.collect.routes import Parts, routes
from glimpse.live import Window
from glimpse.sessions import account_of
from glimpse.settings import Settings
from glimpse.store import QUESTIONS, DuckStore, LocalQueries, Lot
from glimpse.transfer import LocalOutlet

SESSION = "0190c1f3-7a1b-7c3d-9e4f-000000000001"
NEEDED: dict[str, Any] = {
    "field": "page",
    "steps": json.dumps(['page = "/"', 'name = "buy"']),
    "goals": json.dumps(['name = "buy"']),
    "goal": 'name = "buy"',
    "id": SESSION,
    "project": "shop",
}
_NEVER_ENDS = "/api/v1/stream"  # which has tests of its own
OPERATIONS = {path: of["get"] for path, of in document()["paths"].items() if path != _NEVER_ENDS}


class Api:
    def __init__(self, url: str, queries: LocalQueries) -> None:
        self._url, self.queries = url, queries

    async def ask(self, path: str, **question: Any) -> HTTPResponse:
        address = f"{self._url}{path}{'&' if '?' in path else '?'}{urlencode(question)}"
        return await AsyncHTTPClient(force_instance=True).fetch(address, raise_error=False)

    async def send(self, path: str, body: Any) -> HTTPResponse:
        given: Any = {"method": "POST", "body": json.dumps(body), "headers": {"User-Agent": "any"}}
        return await AsyncHTTPClient(force_instance=True).fetch(self._url + path, raise_error=False, **given)


@pytest.fixture
async def api(buffer: EventBuffer, settings: Settings, tmp_path: Path) -> AsyncIterator[Api]:
    store = DuckStore.open(tmp_path)
    rows = [event_of(admitted(at=NOON), session_id=SESSION, page="/")]
    rows.append(event_of(admitted("buy", NOON + 1000), session_id=SESSION))
    store.commit(Lot(rows, account_of(rows)))
    queries, outlet = LocalQueries(store, buffer), LocalOutlet(store)
    parts = Parts(
        settings=settings,
        edge=Edge(buffer, settings),
        buffer=buffer,
        window=Window(minutes=30, max_events=10, now_ms=lambda: NOON),
        queries=queries,
        outlet=outlet,
        health=dict,
    )
    server = HTTPServer(Application([*routes(parts)]))
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])
    yield Api(f"http://127.0.0.1:{listener.getsockname()[1]}", queries)
    server.stop()
    await server.close_all_connections()
    outlet.close()
    queries.close()
    store.close()


def least(operation: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that an operation can't do without."""
    return {one["name"]: NEEDED[one["name"]] for one in operation["parameters"] if one["required"]}


def address_of(path: str, asked: dict[str, Any]) -> str:
    return path.replace("{id}", asked.pop("id", ""))


async def test_everything_that_is_described_answers(api: Api):
    for path, operation in OPERATIONS.items():
        asked = least(operation) | (
            {"since": NOON} if any(p["name"] == "since" for p in operation["parameters"]) else {}
        )
        response = await api.ask(address_of(path, asked), **asked)
        assert response.code == 200, (path, response.body)
        content = operation["responses"]["200"]["content"]["application/json"]
        jsonschema.validate(json.loads(response.body), content["schema"])


async def test_questions_take_their_arguments_from_the_address(api: Api):
    span = {"project": "shop", "since": NOON, "until": NOON + 60_000}
    (row,) = json.loads((await api.ask("/api/v1/totals", **span, where='name = "buy"')).body)
    assert (row["events"], row["sessions"]) == (1, 1)
    rows = json.loads((await api.ask("/api/v1/breakdown", **span, field="page", top="1")).body)
    assert rows[0]["events"] == 1
    steps = json.loads((await api.ask("/api/v1/funnel", **span, steps=NEEDED["steps"])).body)
    assert [step["sessions"] for step in steps] == [1, 1]
    await api.queries.save_segment("shop", "buyers", 'name = "buy"')
    by_name = json.dumps(['page = "/"', {"segment": "buyers"}])
    assert json.loads((await api.ask("/api/v1/funnel", **span, steps=by_name)).body) == steps
    (reached,) = json.loads((await api.ask("/api/v1/goals", **span, goals='[{"segment": "buyers"}]')).body)
    assert reached["events"] == 1


@pytest.mark.parametrize(
    ("path", "asked", "told"),
    [
        ("breakdown", {}, "field"),
        ("breakdown", {"field": "contry"}, "there is no field 'contry'"),
        ("series", {"unit": "eon"}, "eon"),
        ("funnel", {"steps": "[oops"}, "is JSON, and this is none"),
        ("funnel", {"steps": '["name = \\"buy\\"", ""]'}, "steps[1] is a filter"),
        ("funnel", {"steps": '["name exists", "nam exists"]'}, "steps[1]: column 1: there is no field 'nam'"),
        ("goals", {"goals": '[{"not": {"search": ""}}]'}, "goals[0]: $.not: a search needs some text"),
        ("outcomes", {"goal": "name"}, "goal: column 5: expected what is said of name"),
        ("conversion", {"goal": " ", "field": "page"}, "goal is a filter"),
        ("breakdown", {"field": "null"}, "breakdown: field must be text; it is null"),
        ("totals", {"colour": "red"}, "colour"),
        ("totals", {"segment": "none"}, "none"),
    ],
)
async def test_a_mistake_is_a_problem_document(api: Api, path: str, asked: dict[str, str], told: str):
    response = await api.ask(f"/api/v1/{path}", **asked)
    assert (response.code, response.headers["Content-Type"]) == (400, "application/problem+json")
    problem = json.loads(response.body)
    jsonschema.validate(problem, document()["components"]["schemas"]["Problem"])
    assert told in problem["detail"]


async def test_null_is_said_by_its_word(api: Api):
    span = {"project": "shop", "since": NOON, "until": NOON + 60_000, "after_s": "[0]"}
    (row,) = json.loads((await api.ask("/api/v1/retention", **span, field="null")).body)
    assert (row["value"], row["sessions"]) == (None, 1)


@pytest.mark.parametrize("path", ["events", "sessions", "totals", "live", "ledger", "stream"])
async def test_what_is_said_twice_is_no_guess(api: Api, path: str):
    response = await api.ask(f"/api/v1/{path}?project=shop", project="*")
    assert (response.code, response.headers["Content-Type"]) == (400, "application/problem+json")
    assert "project stands there 2 times" in json.loads(response.body)["detail"]


async def test_a_parameter_that_there_is_not_is_told_with_those_that_there_are(api: Api):
    for path, operation in OPERATIONS.items():
        asked = least(operation) | {"whre": "x"}
        response = await api.ask(address_of(path, asked), **asked)
        told = json.loads(response.body)["detail"]
        assert (response.code, "'whre'" in told) == (400, True), path
        if told.startswith("there is no parameter"):
            taken = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
            assert sorted(told.partition("there are ")[2].split(", ")) == sorted(taken), path


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_asked_is_answered_or_told(api: Api, data: st.DataObject):
    path = data.draw(st.sampled_from([*OPERATIONS]))
    names = [one["name"] for one in OPERATIONS[path]["parameters"]]
    anything = st.text(max_size=12) | st.sampled_from(
        ["all", "0", "-1", "1e9", "[", "[]", "{}", "null", "*", "UTC", "9" * 20]
    )
    asked = least(OPERATIONS[path]) | data.draw(st.dictionaries(st.sampled_from(names), anything, max_size=3))
    asked = {name: value for name, value in asked.items() if name != "id"} | {"id": SESSION}
    response = await api.ask(address_of(path, asked), **asked)
    assert response.code in (200, 400, 404), (path, asked, response.body)
    if response.code != 200:
        assert json.loads(response.body)["status"] == response.code


async def test_the_document_says_what_is_sent_and_what_is_answered(api: Api):
    told = document()
    sending = told["paths"]["/api/v1/events"]["post"]
    wanted = {**sending["requestBody"]["content"]["application/json"]["schema"], "components": told["components"]}
    validator = jsonschema.Draft202012Validator(wanted)
    validator.check_schema(wanted)
    good = {"projectId": "shop", "event": "buy", "timestamp": NOON, "context": {"utm": {"source": "x"}}}
    for body in (good, [good, good], {"projectId": "shop", "events": [{"event": "buy", "timestamp": NOON}]}):
        assert validator.is_valid(body)
    assert not validator.is_valid({**good, "projectId": "no project"})
    for body, status in ((good, 200), ({**good, "event": ""}, 400)):
        response = await api.send("/api/v1/events", body)
        assert response.code == status
        answer = sending["responses"][str(status)]["content"]["application/json"]["schema"]
        jsonschema.validate(json.loads(response.body), {**answer, "components": told["components"]})


async def test_the_page_names_every_address_and_loads_nothing(api: Api):
    response = await api.ask("/api/docs")
    page = response.body.decode()
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert all(f"/api/v1/{name}" in page for name in ASKED_BY_NAME)
    assert "<script" not in page
    for name in ASKED_BY_NAME:
        _, sections = QUESTIONS[name].told
        told = [word for section in sections.values() for one in section for word in one.names]
        assert all(f"<code>{word}</code>" in page for word in told), name
