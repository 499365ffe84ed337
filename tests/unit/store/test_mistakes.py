from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpse.errors import QueryError
from glimpse.store import QUESTIONS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("series", {"unit": "decade"}, "series: unit must be one of day, hour, minute, month, week; it is 'decade'"),
        ("breakdown", {"field": "page", "top": "0"}, "breakdown: top must be a whole number, 1 to 1000; it is '0'"),
        ("breakdown", {"field": "page", "tpo": "3"}, "breakdown takes no 'tpo'; it takes field, top, by"),
        ("breakdown", {}, "breakdown needs field"),
        ("totals", {"unit": "day"}, "totals takes no 'unit'; it takes nothing of its own"),
        ("funnel", {"steps": "buy"}, "funnel: steps must be a list of text or an object, 1 to 20; it is 'buy'"),
        ("funnel", {"steps": ["a"], "within_s": "-1"}, "funnel: within_s must be a number, more than 0; it is '-1'"),
    ],
)
def test_a_mistake_says_which_argument_what_it_is_and_what_is_allowed(name: str, arguments: dict[str, Any], said: str):
    with pytest.raises(QueryError) as problem:
        QUESTIONS[name].read(arguments, from_text=True)
    assert str(problem.value) == said


@given(st.sampled_from(sorted(QUESTIONS)), st.data())
def test_whatever_is_given_is_read_or_is_a_mistake_in_words_of_ours(name: str, data: st.DataObject):
    names = st.sampled_from([*QUESTIONS[name].arguments.__struct_fields__, "other"])
    said = ""
    try:
        QUESTIONS[name].read(data.draw(st.dictionaries(names, VALUES, max_size=4)))
    except QueryError as problem:
        said = str(problem)
    assert "its arguments are not what" not in said
