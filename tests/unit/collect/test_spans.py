from __future__ import annotations

import pytest

from glimpse.collect import spans
from glimpse.errors import QueryError

NOW = 1_790_000_000_000


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
