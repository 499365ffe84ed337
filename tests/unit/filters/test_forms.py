from __future__ import annotations

import contextlib
import json
import time
from urllib.parse import parse_qs, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpse.errors import QueryError
from glimpse.filters import (
    And,
    Filter,
    Not,
    Or,
    as_filter,
    field,
    from_json,
    from_url,
    parse,
    search,
    to_json,
    to_text,
    to_url,
)
from glimpse.filters.tree import MOST_CONDITIONS, MOST_DEPTH
from glimpse.filters.words import MOST_CHARS

from .made import filters


@given(filters)
def test_every_form_reads_back_as_the_same_filter(where: Filter):
    assert parse(to_text(where)) == where
    assert from_json(json.dumps(to_json(where))) == where
    assert from_url(to_url(where)) == where


@given(filters)
def test_a_filter_survives_a_query_string(where: Filter):
    assert to_url(where).isascii()
    assert as_filter(parse_qs(f"project=shop&where={to_url(where)}&limit=1")["where"][0]) == where
    assert parse(unquote_plus(to_url(where))) == where


@given(st.text(max_size=60) | filters.map(to_text).flatmap(lambda text: st.sampled_from([text[:n] for n in range(9)])))
def test_any_text_is_a_filter_or_a_mistake_with_its_place(text: str):
    mistakes: list[str] = []
    try:
        parse(text)
    except QueryError as problem:
        mistakes.append(str(problem))
    assert all(mistake.startswith("column ") for mistake in mistakes)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["is", "country"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["and", "or", "not", "search", "field", "op", "value", "x"]), inner)
    ),
)


@given(_json)
def test_any_json_is_a_filter_or_a_mistake_with_its_place(form: object):
    with contextlib.suppress(QueryError):
        assert from_json(to_json(from_json(form))) is not None
    if isinstance(form, list):
        with pytest.raises(QueryError, match=r"^\$: a filter is"):
            from_json(form)


def test_the_forms_of_one_filter():
    where = field("country").is_in("DE", "FR") & (field("properties.plan") == "pro")
    assert to_text(where) == 'country in ("DE", "FR") and properties.plan = "pro"'
    assert to_url(where) == "country%20in%20(%22DE%22,%20%22FR%22)%20and%20properties.plan%20%3D%20%22pro%22"
    assert to_json(where) == {
        "and": [
            {"field": "country", "op": "in", "value": ["DE", "FR"]},
            {"field": "properties.plan", "op": "is", "value": "pro"},
        ]
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('country is "DE"', field("country") == "DE"),
        ('country IS NOT "DE"', ~(field("country") == "DE")),
        ('country <> "DE"', field("country") != "DE"),
        ('not country = "DE"', field("country") != "DE"),
        ("page matches '^/it''s\\d'", field("page").matches("^/it's\\d")),
        ('"Check out" or name not exists', search("Check out") | ~field("name").exists()),
        (
            "session.pages between 2 and 5 and lat >= -1.5",
            field("session.pages").between(2, 5) & (field("lat") >= -1.5),
        ),
        ('properties."a b".c starts with "x"', field('properties."a b".c').starts_with("x")),
        ("properties.x in (true, 1)", field("properties.x").is_in(*(True, 1))),
        (
            'time > "2026-01-01" or lat < 0 and lon < 0',
            ((field("time") > "2026-01-01") | ((field("lat") < 0) & (field("lon") < 0))),
        ),
    ],
)
def test_text_means_what_python_says(text: str, expected: Filter):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('contry = "DE"', "column 1: there is no field 'contry'; did you mean country? fields are name, url"),
        ('lat > 1 and event = "x"', "column 13: there is no field 'event'; did you mean name?"),
        ("session.page > 3", "column 1: there is no field 'session.page'; did you mean session.pages"),
        (
            "country = DE",
            "column 11: expected a text in quotes, a number, true or false, found DE; a text goes in quotes",
        ),
        ("country = 5", 'column 11: country is text, such as "5"; 5 is not'),
        ('lat contains "x"', "column 14: lat is a number: contains is not for it; it takes =, in, >"),
        ('time > "soon"', "column 8: a time is ISO 8601 in quotes"),
        ('page matches "("', "column 14: ( is no regular expression of RE2: missing )"),
        ('country in ("DE"', "column 17: expected ), found the end"),
        ('country in ("DE", 7)', "column 19: country is text"),
        ('country = "DE', "column 11: this text has no closing quote"),
        ('country = "DE" page = "/"', "column 16: expected and, or, or the end, found page"),
        ("country", "column 8: expected what is said of country: =, !="),
        ("", "column 1: expected a field"),
        ("properties = 5", "column 1: properties needs 1 to 8 keys"),
        ("country.x = 5", "column 1: there is no field 'country.x'"),
        ("a; b", "column 2: ';' has no meaning here"),
        ("properties.1 = 2", 'column 11: a key with other characters than A-Z a-z 0-9 _ $ - goes in "quotes"'),
        ("properties.größe = 2", "column 14: a key with other characters"),
        ('properties["a b"] = 2', "column 11: a key with other characters"),
        ("properties.\"a b\".'c' = 2", "column 17: a key with other characters"),
        ('name = "a" && name exists', "column 12: '&' has no meaning here; the word is and"),
        ("not page~'x'", "column 9: '~' has no meaning here; the word is matches"),
        (
            "country is null",
            "column 12: expected a text in quotes, a number, true or false, found null; what is not known",
        ),
        ('lat = "5"', 'column 7: lat is a number; "5" is not'),
        ('session.is_bounce = "true"', 'column 21: session.is_bounce is true or false; "true" is not'),
        ('page = "\\d"', "column 8: in double quotes a backslash is written"),
        ("(" * 200, f"column 42: a filter nests at most {MOST_DEPTH} deep"),
        ("x" * (MOST_CHARS + 1), f"column {MOST_CHARS + 1}: a filter has at most {MOST_CHARS} characters"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_is_allowed(text: str, message: str):
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ('{"field": "contry", "op": "is", "value": 1}', "$: there is no field 'contry'; did you mean country?"),
        ('{"and": [{"search": "x"}, {"field": "lat", "op": "like", "value": 1}]}', "$.and[1]: op is one of is, in,"),
        ('{"not": {"field": "country", "op": "is", "value": null}}', "$.not: null is no value; what is not known"),
        ('[{"search": "x"}]', "$: a filter is"),
        ('{"search": "x", "y": 1}', "$: a filter is"),
        ('{"and": [{"search": "x"}]}', "$: and/or need two"),
        ("{", "the filter is no JSON"),
        ('{"not": ' * 5000 + "1" + "}" * 5000, "the filter is no JSON"),
        ('{"not": ' * 50 + "1" + "}" * 50, "$" + ".not" * MOST_DEPTH + ": a filter nests at most"),
    ],
)
def test_a_mistake_in_json_says_where_it_is(form: str, message: str):
    with pytest.raises(QueryError) as caught:
        as_filter(form)
    assert str(caught.value).startswith(message)


def test_no_filter_is_no_filter():
    assert as_filter(None) is None
    assert as_filter("  ") is None


def test_filters_combine_flat_and_are_not_booleans():
    a, b, c = (field("lat") > n for n in range(3))
    assert (a & b) & c == a & (b & c) == And((a, b, c))
    assert a | b | c == Or((a, b, c))
    assert ~~a == a
    with pytest.raises(TypeError, match="combine filters with &"):
        bool(a)


def test_true_is_not_one_in_a_filter():
    assert (field("properties.x") == True) != (field("properties.x") == 1)  # noqa: E712
    assert len({field("properties.x") == 1, field("properties.x") == 1.0}) == 1


def test_nesting_and_size_end_somewhere():
    deep: Filter = search("x")
    for _ in range(MOST_DEPTH - 1):
        deep = Not(deep)
    assert parse(to_text(deep)) == deep
    assert from_json(to_json(deep)) == deep
    with pytest.raises(QueryError, match="nests at most"):
        Not(deep)
    with pytest.raises(QueryError, match=f"at most {MOST_CONDITIONS} conditions"):
        parse(" or ".join(['"x"'] * (MOST_CONDITIONS + 1)))


@pytest.mark.parametrize(
    "part",
    [
        "(",
        "not ",
        '"',
        "'",
        "a",
        "a.",
        "1",
        "\\",
        '"\\',
        "=",
        "a = 1 or ",
        '"x" or ',
        'country = "DE" and ',
        " ",
        "a.b.",
    ],
)
def test_ten_thousand_characters_are_read_or_refused_at_once(part: str):
    text = (part * 10_000)[:10_000]
    started = time.process_time()
    with contextlib.suppress(QueryError):
        parse(text)
    assert time.process_time() - started < 1  # a few ms; what grows with the square takes minutes
