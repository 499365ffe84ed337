from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
from waiting import wait_until_async

from glimpse.errors import QueryError, StoreUnavailable
from glimpse.filters import as_filter
from glimpse.views.breakdown import Breakdown
from glimpse.views.scope import Scope
from glimpse.views.sessions_page import SessionList

ROWS = [
    {"value": '=HYPERLINK("x")', "is_other": False, "events": 3, "page_views": 3, "sessions": 2, "share": 0.75},
    {"value": None, "is_other": False, "events": 1, "page_views": 1, "sessions": 1, "share": 0.25},
]


class Store:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Scope, dict[str, Any]]] = []
        self.answers: list[asyncio.Future[Any]] = []

    async def ask(self, question: str, scope: Scope, **arguments: Any) -> Any:
        self.asked.append((question, scope, arguments))
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


async def asked(store: Store, n: int) -> asyncio.Future[Any]:
    await wait_until_async(lambda: len(store.answers) >= n, what=f"question {n}")
    return store.answers[n - 1]


async def test_a_question_that_a_newer_one_overtook_is_ended():
    store = Store()
    card = Breakdown(store.ask, Scope(), of="pages")
    card.show_scope(Scope("shop"))
    first = await asked(store, 1)
    card.show_scope(Scope("blog"))
    second = await asked(store, 2)
    second.set_result(ROWS)
    await wait_until_async(lambda: card.picture.phase == "ready", what="the answer")
    assert first.cancelled()
    assert len(json.loads(card.picture.state)["rows"]) == 2
    assert [scope.project for _, scope, _ in store.asked] == ["shop", "blog"]


async def a_card_that_failed(problem: Exception) -> tuple[Store, Breakdown]:
    store = Store()
    card = Breakdown(store.ask, Scope(), of="sources")
    card.reload()
    (await asked(store, 1)).set_exception(problem)
    await wait_until_async(lambda: card.picture.phase == "failed", what="the failure")
    return store, card


async def test_a_question_that_fails_says_why_and_a_later_answer_takes_its_place():
    store, card = await a_card_that_failed(QueryError("it took too long"))
    assert card.picture.problem == "it took too long"
    assert not card.picture.may_pass  # a question with a mistake has it the next time too
    card.picture.wanted = json.dumps({"tab": "Channel"})
    (await asked(store, 2)).set_result(ROWS)
    await wait_until_async(lambda: card.picture.phase == "ready", what="the answer")
    assert store.asked[1][2]["field"] == "session.channel"
    card.picture.wanted = json.dumps({"tab": "no such tab"})
    assert len(store.asked) == 2


async def test_a_question_that_failed_for_the_store_is_asked_again_when_the_browser_wants_it():
    store, card = await a_card_that_failed(StoreUnavailable("the store is away"))
    assert card.picture.may_pass
    card.picture.wanted = json.dumps({"again": 1})
    (await asked(store, 2)).set_result(ROWS)
    await wait_until_async(lambda: card.picture.phase == "ready", what="the answer")
    assert store.asked[0] == store.asked[1]


async def test_another_filter_asks_no_more_for_the_properties_that_events_of_the_span_have():
    store = Store()
    card = Breakdown(store.ask, Scope(), of="events")
    card.show_scope(Scope("shop"))
    (await asked(store, 1)).set_result([{"name": "buy", "key": "plan", "events": 3, "sessions": 2}])
    (await asked(store, 2)).set_result(ROWS)
    await wait_until_async(lambda: card.picture.phase == "ready", what="the answer")
    card.show_scope(Scope("shop", where=as_filter('country = "DE"')))
    (await asked(store, 3)).set_result(ROWS)
    await wait_until_async(lambda: card.picture.phase == "ready", what="the answer")
    assert [question for question, _, _ in store.asked] == ["properties", "breakdown", "breakdown"]
    assert json.loads(card.picture.state)["tabs"] == ["Name", "plan"]


async def test_what_is_saved_is_what_is_shown_and_no_formula():
    store = Store()
    card = Breakdown(store.ask, Scope("shop"), of="pages")
    card.reload()
    (await asked(store, 1)).set_result(ROWS)
    await wait_until_async(lambda: card.picture.phase == "ready", what="the answer")
    card.picture.wanted = json.dumps({"save": "csv"})
    content = base64.b64decode(card._lines.file["content"])
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    assert [line["value"] for line in lines] == ['\'=HYPERLINK("x")', ""]
    card.picture.wanted = json.dumps({"save": "parquet"})
    content = base64.b64decode(card._lines.file["content"])
    assert pq.read_table(io.BytesIO(content)).to_pylist() == ROWS
    assert card._lines.file["name"] == "shop-pages-top.parquet"


async def test_the_newest_session_is_shown_until_one_is_chosen_and_for_as_long_as_it_is_listed():
    listed, opened = [{"project": "shop", "id": "b"}, {"project": "shop", "id": "a"}], []

    async def ask(_question: str, _scope: Scope, **_arguments: Any) -> Any:
        return listed

    view = SessionList(ask, Scope("shop"))
    view.on_choice(lambda project, session: opened.append((project, session)))

    async def marked() -> str:
        view.reload()
        await wait_until_async(lambda: view.picture.phase == "ready", what="the list")
        return json.loads(view.picture.state)["open"]

    assert await marked() == "b"
    listed.insert(0, {"project": "shop", "id": "c"})
    assert await marked() == "b"
    del listed[:2]
    assert await marked() == "a"
    assert (opened, view.choices) == ([("shop", "b"), ("shop", "a")], {})  # an address says what was chosen alone
    listed.insert(0, {"project": "shop", "id": "d"})
    view.picture.wanted = json.dumps({"open": "d", "project": "shop"})
    listed.clear()
    assert await marked() == "d"
    assert (opened[2:], view.choices) == ([("shop", "d")], {"session": ("shop/d",)})
