from __future__ import annotations

import json
from typing import Any

from waiting import wait_until_async

from glimpse.filters import Filter, parse, to_json, to_text
from glimpse.views.breakdown import Breakdown
from glimpse.views.event_series import EventSeries
from glimpse.views.goal_picker import GoalPicker
from glimpse.views.properties import property_fields
from glimpse.views.scope import Scope
from glimpse.views.segment_menu import Kept, Saved
from glimpse.views.side_by_side import SideBySide, mean_duration_s
from glimpse.views.vitals_series import VitalsSeries

Asked = list[tuple[str, str, dict[str, Any]]]


def store(asked: Asked, **answers: Any) -> Any:
    async def ask(question: str, scope: Scope, **arguments: Any) -> Any:
        where = "" if scope.where is None else to_text(scope.where)
        asked.append((question, where, arguments))
        answer = answers.get(question, [])
        return answer(where) if callable(answer) else answer

    return ask


async def ready(view: Any) -> Any:
    view.reload()
    await wait_until_async(lambda: view.picture.phase != "loading", what="the answer")
    assert view.picture.phase == "ready", view.picture.problem
    return json.loads(view.picture.state)


def row(value: str | None, events: int, *, is_other: bool = False) -> dict[str, Any]:
    return {"value": value, "is_other": is_other, "events": events, "page_views": 0, "sessions": events, "share": 0.5}


async def test_what_has_no_layer_of_its_own_is_in_that_of_all_others():
    asked: Asked = []
    steps = {"": [5, 7], 'country = "DE"': [2, 7], "country not exists": [1, 0]}
    series = {where: [{"time": at, "events": n} for at, n in enumerate(counts)] for where, counts in steps.items()}
    ask = store(asked, breakdown=[row("DE", 9), row(None, 1), row(None, 2, is_other=True)], series=series.__getitem__)
    drawn = await ready(EventSeries(ask, Scope(), field="country"))
    assert [(layer["shown"], layer["counts"]) for layer in drawn["layers"]] == [
        ("DE", [2, 7]),
        ("Unknown", [1, 0]),
        ("All others", [2, 0]),
    ]


async def test_events_are_kept_to_the_names_that_were_chosen():
    asked: Asked = []
    view = EventSeries(store(asked), Scope(where=parse('country = "DE"')), names=("a, b", 'c"d'))
    await ready(view)
    assert {where for question, where, _ in asked if question == "series"} == {
        'country = "DE" and name in ("a, b", "c\\"d")'
    }


def test_a_property_with_any_name_is_a_field_or_left_out():
    rows = [{"key": key, "events": n} for key, n in (("plan", 1), ("a key.b", 2), ("plan", 4), ("a\\b", 9))]
    assert property_fields(rows) == [("plan", "properties.plan"), ("a key.b", 'properties."a key.b"')]


async def test_columns_are_segments_by_their_names_or_filters():
    asked: Asked = []

    async def read(_: str) -> Kept:
        return {"Germans": to_json(parse('country = "DE"'))}

    async def write(project: str, name: str, where: Filter | None) -> None:
        raise AssertionError

    answers: dict[str, Any] = {
        "totals": [{"sessions": 4, "page_views": 9, "bounces": 1, "events": 9}],
        "series": [{"time": 0, "sessions": 4, "page_views": 9}],
        "outcomes": [{"time": 0, "sessions": 2, "bounces": 1, "duration_s": 30.0, "reached": 1}],
        "goals": [{"conversion": 0.25}],
    }
    scope = Scope("shop", where=parse('os = "Linux"'), goal=parse('name = "buy"'))
    given = ("Germans", 'page = "/a"', "page =", "")
    view = SideBySide(store(asked, **answers), scope, columns=given, saved=Saved(read, write))
    drawn = await ready(view)
    assert [column["kind"] for column in drawn["columns"]] == ["segment", "filter", "filter", "everything"]
    assert {where for question, where, _ in asked if question == "totals"} == {
        'os = "Linux" and country = "DE"',
        'os = "Linux" and page = "/a"',
        'os = "Linux"',
    }
    assert drawn["columns"][2]["problem"]
    first = drawn["columns"][0]
    assert first["totals"] == {"sessions": 4, "page_views": 9, "bounce": 0.25, "duration_s": 30.0, "conversion": 0.25}
    assert first["steps"] == [[0, 4, 9, 0.5, 30.0, 0.5]]


async def test_one_more_column_begins_with_something_that_is_not_there_yet():
    async def read(_project: str) -> Kept:
        return {name: to_json(parse('country = "DE"')) for name in ("A", "B")}

    async def write(*_: Any) -> None: ...

    totals = [{"sessions": 0, "page_views": 0, "bounces": 0}]
    view = SideBySide(store([], totals=totals), Scope(), saved=Saved(read, write))
    begun = []
    for more in ([], ["", "A"], ["", "B"], ["A", "B"], ["A", "B", 'device = "phone"']):
        if more:
            view.picture.wanted = json.dumps({"columns": more})
        drawn = await ready(view)
        begun.append(drawn["another"])
    assert [column["typed"] for column in drawn["columns"]] == ["A", "B", 'device = "phone"']
    assert begun == ["B", "B", "A", 'device = "phone"', 'device = "desktop"']


def test_the_mean_duration_weighs_each_interval_by_its_sessions():
    rows = [
        {"sessions": 3, "duration_s": 10.0},
        {"sessions": 0, "duration_s": None},
        {"sessions": 1, "duration_s": 50.0},
    ]
    assert mean_duration_s(rows) == 20
    assert mean_duration_s([]) is None


async def test_a_goal_is_typed_and_each_line_of_a_breakdown_says_how_many_reach_it():
    asked: Asked = []
    reached = [{"value": "/a", "sessions": 4, "reached": 1, "conversion": 0.25}]
    ask = store(asked, breakdown=[row("/a", 4), row("/b", 1), row(None, 9, is_other=True)], conversion=reached)
    picker = GoalPicker(ask, Scope())
    picker.picture.wanted = json.dumps({"goal": " buy "})
    assert (picker.goal, picker.called) == ("buy", "buy")
    drawn = await ready(Breakdown(ask, Scope(goal=picker.filter), of="pages"))
    assert [line["conversion"] for line in drawn["rows"]] == [0.25, None, None]
    assert ("conversion", "", {"goal": 'name = "buy"', "field": "page", "top": 1000}) in asked


async def test_each_line_of_a_breakdown_says_what_was_counted_in_the_span_before():
    now = [row("/a", 4), row("/new", 1), row(None, 9, is_other=True)]
    before = [row("/a", 2), row("/gone", 7)]
    spans = []

    async def ask(question: str, scope: Scope, **arguments: Any) -> Any:
        spans.append((scope.since, scope.until, arguments["top"]))
        return now if scope.since == 100 else before

    drawn = await ready(Breakdown(ask, Scope(since=100, until=150), of="pages", compares=True))
    assert drawn["compares"]
    assert [line["events_before"] for line in drawn["rows"]] == [2, 0, None]
    assert set(spans) == {(100, 150, 200), (50, 100, 1000)}
    before.append(row(None, 3, is_other=True))  # among which /new may have been
    drawn = await ready(Breakdown(ask, Scope(since=100, until=150), of="pages", compares=True))
    assert [line["events_before"] for line in drawn["rows"]] == [2, None, None]
    drawn = await ready(Breakdown(ask, Scope(since=100, until=150), of="pages"))
    assert "events_before" not in drawn["rows"][0]


async def test_a_mistake_in_a_goal_stays_told_while_goals_are_offered():
    picker = GoalPicker(store([], breakdown=[row("buy", 4)]), Scope(), goal="contry = 1")
    assert picker.filter is None
    assert "did you mean country?" in picker.picture.mistake
    picker.picture.wanted = json.dumps({"offer": True})
    await ready(picker)
    assert "did you mean country?" in picker.picture.mistake
    picker.picture.wanted = json.dumps({"goal": "buy"})
    assert picker.picture.mistake == ""


async def test_web_vitals_over_time_are_judged_point_by_point():
    measured = [
        {"time": at, "metric": "LCP", "percentile": value, "measurements": 2, "good": 0.5}
        for at, value in ((0, 2500.0), (1, 4001.0))
    ]
    drawn = await ready(VitalsSeries(store([], vitals_series=measured), Scope()))
    assert [point[4] for point in drawn["points"]["LCP"]] == ["good", "poor"]
    assert drawn["points"]["CLS"] == []
