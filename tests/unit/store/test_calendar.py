"""The intervals of a zone, where its clock does what few clocks do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from glimpse.store.questions.calendar import Calendar, Unit


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("unit", "tz", "since", "until", "count"),
    [
        ("day", "Pacific/Apia", "2011-12-28T10:00", "2012-01-02T10:00", 5),  # without 30 December, which never came
        ("day", "Pacific/Kwajalein", "1993-08-19T12:00", "1993-08-24T12:00", 5),
        ("day", "America/Sao_Paulo", "2018-11-03T03:00", "2018-11-06T02:00", 3),  # leaps over a midnight
        ("day", "America/Havana", "2026-10-31T04:00", "2026-11-03T05:00", 3),  # has a midnight twice
        ("hour", "Australia/Lord_Howe", "2026-04-04T14:00", "2026-04-04T17:30", 4),  # goes back by half an hour
    ],
)
def test_each_interval_begins_after_the_one_before(unit: Unit, tz: str, since: str, until: str, count: int):
    starts = Calendar(unit, tz, at(since), at(until)).starts()
    assert starts == sorted(set(starts))
    assert (starts[0], len(starts)) == (at(since), count)
