from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpse.collect import spans
from glimpse.errors import QueryError

NOW = 1_790_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - 90 * 60_000),
        ("24h", NOW - 86_400_000),
        ("7d", NOW - 7 * 86_400_000),
        ("30s", NOW - 30_000),
        ("1790000000000", NOW),
        ("2026-09-21T14:13:20Z", NOW),
        ("2026-09-21T16:13:20+02:00", NOW),
        ("2026-09-21T16:13:20 02:00", NOW),  # a plus that was not escaped
        ("2026-09-21 14:13:20", NOW),
        ("999999999d", 0),
    ],
)
def test_a_moment_is_iso_epoch_or_an_age(text: str, expected: int):
    assert spans.moment(text, "since", NOW) == expected


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{1,20}[smhdTZ:-]?"))
def test_any_text_is_a_moment_that_a_store_can_hold_or_a_mistake(text: str):
    with contextlib.suppress(QueryError):
        assert 0 <= spans.moment(text, "since", NOW) <= 253_402_300_799_999


@pytest.mark.parametrize("text", ["soon", "-1", "1e3", "9" * 15 + "0", "5w", "2026-13-01"])
def test_what_is_no_moment_is_a_named_mistake(text: str):
    with pytest.raises(QueryError, match="since must be ISO 8601, epoch milliseconds, or an age"):
        spans.moment(text, "since", NOW)


def test_the_default_span_is_a_day_and_includes_now():
    assert spans.span_asked({}.get, NOW) == (NOW - 86_400_000, NOW + 1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"since": "1h", "until": "2h"}, "since must not be later than until"),
        ({"limit": "0"}, "limit must be 1 to 10000, or all; it is '0'"),
        ({"limit": "10001"}, "limit must be 1 to 10000"),
        ({"limit": "٣"}, "limit must be 1 to 10000"),
        ({"after": "x"}, "after must be what a Link header gave"),
        ({"format": "xml"}, "format must be one of json, ndjson, csv, parquet, arrow; it is 'xml'"),
        ({"project": "a b"}, "project must be * or 1 to 64"),
    ],
)
def test_a_mistake_in_a_question_is_named(asked: dict[str, str], said: str):
    with pytest.raises(QueryError, match=said.replace("*", r"\*")):
        ask_everything(asked)


def ask_everything(asked: dict[str, str]) -> None:
    spans.span_asked(asked.get, NOW)
    for question in (spans.project_asked, spans.limit_asked, spans.cursor_asked, spans.format_asked):
        question(asked.get)
