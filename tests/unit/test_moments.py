from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpse.errors import QueryError
from glimpse.moments import moment

NOW = 1_790_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - 90 * 60_000),
        ("24h", NOW - 86_400_000),
        ("7d", NOW - 7 * 86_400_000),
        ("90 m", NOW - 90 * 60_000),
        (NOW, NOW),
        ("30s", NOW - 30_000),
        ("1790000000000", NOW),
        ("2026-09-21T14:13:20Z", NOW),
        ("2026-09-21T16:13:20+02:00", NOW),
        ("2026-09-21T16:13:20 02:00", NOW),  # a plus that was not escaped
        ("2026-09-21 14:13:20", NOW),
        ("2026-09-21", NOW - 51_200_000),
        ("999999999d", 0),
    ],
)
def test_a_moment_is_iso_epoch_or_an_age(text: str | int, expected: int):
    assert moment(text, "since", NOW) == expected


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{1,20}[smhdTZ:-]?"))
def test_any_text_is_a_moment_that_a_store_can_hold_or_a_mistake(text: str):
    with contextlib.suppress(QueryError):
        assert 0 <= moment(text, "since", NOW) <= 253_402_300_799_999


@pytest.mark.parametrize("text", ["soon", "-1", "1e3", "9" * 15 + "0", "5w", "2026-13-01"])
def test_what_is_no_moment_is_a_named_mistake(text: str):
    with pytest.raises(QueryError, match="since must be ISO 8601, epoch milliseconds, or an age"):
        moment(text, "since", NOW)
