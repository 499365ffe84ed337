from __future__ import annotations

import json

import pytest

from glimpse.errors import QueryError
from glimpse.filters import parse, search
from glimpse.views.chips import chips_of, joined, picked, shown, typed
from glimpse.views.filter_bar import FilterBar


def ask(bar: FilterBar, **what: object) -> None:
    bar.asked = json.dumps(what)


def test_each_condition_that_has_to_be_met_is_a_chip_and_together_they_are_the_filter():
    where = parse('country = "DE" and (page = "/a" or page = "/b") and not "draft"')
    assert len(chips_of(where)) == 3
    assert joined(chips_of(where)) == where
    assert joined(()) is None


def test_a_click_on_a_value_means_that_value_and_one_on_unknown_means_unknown():
    assert picked("country", "DE") == parse('country = "DE"')
    assert picked("source", None) == parse("source not exists")
    hostile = 'x" or country exists or page = "'
    assert shown(picked("page", hostile))["value"] == [hostile]
    assert picked("properties.plan", "3") == parse('properties.plan in ("3", 3)')  # JSON's values come as text
    assert shown(picked("properties.plan", "true")) == shown(picked("properties.plan", "true")) | {
        "says": "is",
        "value": ["true"],
    }
    for field, value in [("properties.", "a"), ("context.a", "a"), ("nothing", "a"), ("country", 7)]:
        with pytest.raises(QueryError):
            picked(field, value)


def test_what_begins_like_a_condition_is_one_and_anything_else_is_a_search():
    assert typed('country = "DE" and page = "/a"') == chips_of(parse('country = "DE" and page = "/a"'))
    assert typed("kettle") == (search("kettle"),)
    for text in ("a=b", "/?a=b", "what cats contain", "not in stock"):
        assert typed(text) == (search(text),)
    assert typed("not a field of ours") == (search("not a field of ours"),)
    assert typed('not country = "DE"') == (parse('country != "DE"'),)
    assert typed("  ") == ()
    for mistaken in (
        "country = DE",
        "contry = 1",
        "pages >= 3",
        'contry="DE"',
        'contry in ("DE")',
        'contry contains "D"',
    ):
        with pytest.raises(QueryError):
            typed(mistaken)


def test_the_bar_puts_changes_and_takes_out_conditions():
    bar = FilterBar(where='country = "DE"')
    ask(bar, do="put", text="kettle")
    ask(bar, do="put", text="kettle")
    assert bar.where == 'country = "DE" and "kettle"'
    ask(bar, do="change", at=0, text='country in ("DE", "FR")')
    assert bar.filter == parse('country in ("DE", "FR") and "kettle"')
    ask(bar, do="remove", at=1)
    assert [chip["field"] for chip in json.loads(bar.state)] == ["country"]
    bar.pick("page", "/a")
    ask(bar, do="clear")
    assert (bar.where, bar.filter, bar.state) == ("", None, "[]")


def test_a_mistake_is_told_and_leaves_the_filter_as_it_is():
    bar = FilterBar(where='country = "DE"')
    ask(bar, do="put", text="page = 7")
    assert "page" in bar.problem
    assert bar.filter == parse('country = "DE"')
    ask(bar, do="remove", at=0)
    assert bar.problem == ""
    assert FilterBar(where="contry = 1").filter is None
    for nonsense in ("", "{", "[]", '{"do": 3}', '{"do": "fly"}', '{"do": "change", "at": -1, "text": "x"}'):
        bar.asked = nonsense
    assert bar.where == ""
