"""A question that was compiled for one project and span, asked about others: the answer is that of one asked afresh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from a_month import SINCE, UNTIL, imported_totals, month

from glimpse.errors import QueryError
from glimpse.filters import as_filter
from glimpse.store import QUESTIONS, DuckStore, Lot
from glimpse.store.compiled import CompiledQuestions
from glimpse.store.questions import ALL_PROJECTS, LAST_MS, Scope, Tables

BUY = 'name = "buy"'
DAY_MS = 86_400_000
# What each question is asked with; every question is there.
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("events", {"limit": 20}),
    ("sessions", {"limit": 20}),
    ("journey", {"session": month()[0][0].session_id}),
    ("projects", {}),
    ("totals", {}),
    ("comparison", {"tz": "Europe/Berlin"}),
    *(("series", {"unit": unit, "tz": "America/New_York"}) for unit in ("hour", "month")),
    ("breakdown", {"field": "page"}),
    ("properties", {}),
    ("places", {}),
    ("entries", {}),
    ("exits", {}),
    ("paths", {}),
    ("funnel", {"steps": ['name = "page_view"', BUY], "within_s": 600.0}),
    ("retention", {"tz": "Europe/Berlin"}),
    ("vitals", {"field": "page"}),
    ("vitals_series", {"unit": "day", "tz": "Europe/Berlin"}),
    *(("outcomes", {"unit": "hour", "tz": "America/New_York"} | goal) for goal in ({}, {"goal": BUY})),
    ("goals", {"goals": [BUY]}),
    ("conversion", {"goal": BUY, "field": "source"}),
    ("imported", {"dimension": "page"}),
]
UNFILTERED = {"imported"}
# One after the other; before, and over changes of the clock; a span of nothing.
SCOPES = [
    ("shop", SINCE, SINCE + 3 * DAY_MS),
    ("shop", SINCE + DAY_MS // 3, UNTIL),
    ("blog", SINCE + 2 * DAY_MS, SINCE + 6 * DAY_MS + 1234),
    (ALL_PROJECTS, SINCE, UNTIL),
    (ALL_PROJECTS, SINCE + 5 * DAY_MS, SINCE + 5 * DAY_MS),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckStore]:
    opened = DuckStore.open(tmp_path_factory.mktemp("store"))
    opened.commit(Lot(*month(), totals=imported_totals()))
    yield opened
    opened.close()


def scope_of(store: DuckStore, project: str, since: int, until: int, where: str | None = None) -> Scope:
    tables = Tables(store.tables["events"], store.tables["sessions"], store.tables["imported_totals"])
    return Scope(tables, project, since, until, as_filter(where))


def test_every_question_is_asked_here():
    assert {name for name, _ in ASKED} == set(QUESTIONS)


@pytest.mark.parametrize(("name", "arguments"), ASKED, ids=lambda said: said if isinstance(said, str) else "")
def test_asked_of_another_project_and_span_the_answer_is_that_of_one_asked_afresh(
    store: DuckStore, name: str, arguments: dict[str, Any]
):
    compiled = CompiledQuestions()
    reader = store.reader()
    for said in SCOPES:
        scope = scope_of(store, *said, None if name in UNFILTERED else 'device = "phone"')
        again = compiled.rows(reader, QUESTIONS[name], scope, arguments)
        assert again == store.rows(QUESTIONS[name].expression(scope, arguments))


def test_only_the_first_asking_is_compiled(store: DuckStore):
    compiled = CompiledQuestions()
    first = compiled.of(QUESTIONS["series"], scope_of(store, "shop", SINCE, SINCE + DAY_MS), {"unit": "hour"})
    again = compiled.of(QUESTIONS["series"], scope_of(store, "blog", SINCE + 5, UNTIL), {"unit": "hour"})
    assert again is first
    assert "shop" not in first.sql
    of_all = compiled.of(QUESTIONS["series"], scope_of(store, "*", SINCE, UNTIL), {"unit": "hour"})
    assert of_all is not first
    assert compiled.of(QUESTIONS["series"], scope_of(store, "shop", SINCE, UNTIL), {"unit": "hour"}) is first


def test_filters_that_python_holds_for_equal_are_told_apart(store: DuckStore):
    compiled = CompiledQuestions()
    counts: list[int] = []
    for value in ("true", "1"):
        scope = scope_of(store, "shop", SINCE, UNTIL, f"properties.plan = {value}")
        counts.append(compiled.rows(store.reader(), QUESTIONS["totals"], scope, {})[0]["events"])
    plans = [event.properties.get("plan") for event in month()[0] if event.project == "shop"]
    assert counts[0] > 0 == counts[1]
    assert not [plan for plan in plans if plan == 1 and plan is not True]


def test_a_span_that_is_none_for_a_question_is_refused_after_one_that_was(store: DuckStore):
    compiled = CompiledQuestions()
    day = scope_of(store, "shop", SINCE, SINCE + DAY_MS)
    for name, arguments in (("series", {"unit": "minute"}), ("comparison", {})):
        assert compiled.rows(store.reader(), QUESTIONS[name], day, arguments)
        with pytest.raises(QueryError, match=r"more than 3000 minutes|needs both since and until"):
            compiled.rows(store.reader(), QUESTIONS[name], scope_of(store, "shop", 0, LAST_MS), arguments)


def test_what_was_not_asked_for_longest_is_forgotten(store: DuckStore):
    compiled = CompiledQuestions(most=2)
    scope = scope_of(store, "shop", SINCE, UNTIL)
    first, second = (compiled.of(QUESTIONS["events"], scope, {"limit": limit}) for limit in (1, 2))
    assert compiled.of(QUESTIONS["events"], scope, {"limit": 1}) is first
    compiled.of(QUESTIONS["events"], scope, {"limit": 3})
    assert compiled.of(QUESTIONS["events"], scope, {"limit": 1}) is first
    assert compiled.of(QUESTIONS["events"], scope, {"limit": 2}) is not second


FILTERS = [
    'device = "phone"',
    'device = "desktop"',
    'device = "it\'s \\"quoted\\" {0} $text_0"',
    'country in ("DE", "AT") and not device = "phone"',
    'country in ("AT", "GB") and not device = "desktop"',
    '(country = "DE" or name in ("buy", "page_view")) and page starts with "/"',
    '(country = "GB" or name in ("page_view", "buy")) and page starts with "/"',
    'session.country = "DE" and properties.plan = "pro"',
    'session.country = "AT" and properties.plan = "pro"',
]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [said for said in ASKED if said[0] not in UNFILTERED],
    ids=lambda said: said if isinstance(said, str) else "",
)
def test_asked_through_another_filter_the_answer_is_that_of_one_asked_afresh(
    store: DuckStore, name: str, arguments: dict[str, Any]
):
    compiled = CompiledQuestions()
    reader = store.reader()
    for where in FILTERS:
        scope = scope_of(store, *SCOPES[1], where)
        again = compiled.rows(reader, QUESTIONS[name], scope, arguments)
        assert again == store.rows(QUESTIONS[name].expression(scope, arguments)), where


OTHER_FORMS = [*FILTERS[5::3], '"a"', 'page contains "a" or lat > 3', 'not session.source = "google" and device exists']


@pytest.mark.parametrize(("name", "arguments"), [said for said in ASKED if said[0] not in UNFILTERED], ids=str)
def test_a_filter_of_another_form_is_put_where_the_one_before_was(
    store: DuckStore, name: str, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    compiled = CompiledQuestions()
    compiled.of(QUESTIONS[name], scope_of(store, *SCOPES[1]), arguments)
    while compiled.compile_ahead():
        pass
    fresh = [store.rows(QUESTIONS[name].expression(scope_of(store, *SCOPES[1], one), arguments)) for one in OTHER_FORMS]
    monkeypatch.setattr("glimpse.store.compiled._Outline", None)  # so nothing can be compiled as a whole
    for where, expected in zip(OTHER_FORMS, fresh, strict=True):
        assert compiled.rows(store.reader(), QUESTIONS[name], scope_of(store, *SCOPES[1], where), arguments) == expected


def test_what_takes_no_filter_is_not_compiled_ahead_with_one(store: DuckStore):
    compiled = CompiledQuestions()
    compiled.of(QUESTIONS["imported"], scope_of(store, *SCOPES[1]), {"dimension": "page"})
    assert not compiled.compile_ahead()
    assert not compiled.compile_ahead()


def test_a_filter_with_other_texts_is_not_compiled_anew(store: DuckStore):
    compiled = CompiledQuestions()
    for one, other in zip(FILTERS[3::2], FILTERS[4::2], strict=True):
        first, second = (
            compiled.of(QUESTIONS["totals"], scope_of(store, *SCOPES[1], where), {}) for where in (one, other)
        )
        assert first is second
        assert first.values(scope_of(store, *SCOPES[1], one)) != first.values(scope_of(store, *SCOPES[1], other))


@pytest.mark.parametrize(
    ("where", "is_kept"),
    [
        (None, False),
        ('country in ("DE", "FR") and not page contains "a"', False),
        ('page matches "^/b"', True),
        ('country = "DE" or not properties.plan = "pro"', True),
        ('"pro"', True),
    ],
)
def test_rows_that_a_question_uses_twice_are_kept_only_where_its_filter_takes_long_over_them(
    store: DuckStore, where: str | None, *, is_kept: bool
):
    scope = scope_of(store, "shop", SINCE, UNTIL, where)
    found = CompiledQuestions().of(QUESTIONS["paths"], scope, {})
    ((_, plan),) = store.reader().execute(f"EXPLAIN {found.sql}", found.values(scope)).fetchall()
    assert plan.count("Sequential Scan") == (1 if is_kept else 3)
