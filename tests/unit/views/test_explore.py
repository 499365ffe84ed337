from __future__ import annotations

import json
from typing import Any

import pytest
from waiting import wait_until_async

from glimpse.errors import QueryError
from glimpse.filters import to_text
from glimpse.views.funnel import Funnel
from glimpse.views.paths import Paths
from glimpse.views.scope import Scope
from glimpse.views.staying import AFTER_S, cohorts_of
from glimpse.views.steps import step_of

FUNNEL = [
    {"step": 1, "sessions": 4, "share": 1.0, "of_previous": 1.0},
    {"step": 2, "sessions": 1, "share": 0.25, "of_previous": 0.25},
]


class Store:
    """Answers at once, and keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def ask(self, question: str, _: Scope, **arguments: Any) -> Any:
        self.asked.append((question, arguments))
        return self.answers.get(question, [])


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("signup", 'name = "signup"'),
        ("Signed up (again)", 'name = "Signed up (again)"'),
        ("/cart", 'page = "/cart"'),
        ('country = "DE" and pages > 1', None),
        ("contry = 1", None),
        ("contry=1", None),
        ('contry starts with "D"', None),
        ('country = "DE" and name = "buy"', 'country = "DE" and name = "buy"'),
        ('"kettle"', '"kettle"'),
    ],
)
def test_a_step_is_an_event_or_a_page_or_a_condition(typed: str, means: str | None):
    if means is None:
        with pytest.raises(QueryError):
            step_of(typed)
    else:
        assert to_text(step_of(typed)) == means


async def test_a_funnel_asks_for_the_steps_as_they_were_typed_within_the_time_that_was_chosen():
    store = Store(funnel=FUNNEL)
    funnel = Funnel(store.ask, Scope(), steps=("page_view",))
    funnel.picture.wanted = json.dumps({"steps": ["/cart", " ", 'name = "buy"'], "within_s": 300})
    await wait_until_async(lambda: funnel.picture.phase == "ready", what="the answer")
    assert store.asked[-1] == ("funnel", {"steps": ['page = "/cart"', 'name = "buy"'], "within_s": 300.0})
    shown = json.loads(funnel.picture.state)["steps"]
    assert [(step["typed"], step["shown"], step["sessions"]) for step in shown] == [
        ("/cart", "/cart", 4),
        ('name = "buy"', "buy", 1),
    ]
    funnel.picture.wanted = json.dumps({"steps": ["country = ="], "within_s": 300})
    await wait_until_async(lambda: funnel.picture.phase == "failed", what="the mistake")
    assert json.loads(funnel.picture.state)["steps"] == shown  # what was there stays


async def test_without_steps_a_funnel_begins_with_what_is_done_most_often():
    names = [
        {"value": name, "events": 1, "page_views": 0}
        for name in ("web_vital", "page_view", "add", "buy", "other", None)
    ]
    store = Store(breakdown=names, funnel=[])
    funnel = Funnel(store.ask, Scope())
    funnel.reload()
    await wait_until_async(lambda: funnel.picture.phase != "loading", what="the answer")
    assert store.asked[-1][1] == {"steps": ['name = "page_view"', 'name = "add"', 'name = "buy"']}


async def test_a_page_that_is_clicked_on_is_followed_and_left_again():
    store = Store(paths=[{"from_page": "/", "to_page": "/cart", "steps": 2, "sessions": 2}])
    paths = Paths(store.ask, Scope())
    for page in ("/cart", None):
        paths.picture.wanted = json.dumps({"page": page})
        await wait_until_async(lambda page=page: store.asked[-1:] and store.asked[-1][1]["page"] == page, what="it")
    await wait_until_async(lambda: paths.picture.phase == "ready", what="the answer")
    assert json.loads(paths.picture.state)["steps"] == [["/", "/cart", 2]]


def test_a_cohort_of_several_days_is_one_line():
    rows = [
        {
            "day": day,
            "value": "ads",
            "after_s": after,
            "sessions": n,
            "still_there": still if after == AFTER_S[0] else 0,
        }
        for day, n, still in ((1, 4, 3), (2, 6, 1))
        for after in AFTER_S
    ]
    assert cohorts_of(rows, "value") == [{"of": "ads", "sessions": 10, "still_there": [4, 0, 0, 0, 0, 0]}]
    assert [one["sessions"] for one in cohorts_of(rows, "day")] == [4, 6]
