from __future__ import annotations

from glimpse.live.numbers import Minute
from glimpse.views.kpis import changes_of


def minutes(*events: int) -> list[Minute]:
    return [Minute(t=at, events=n, page_views=2 * n, sessions=n, bounces=1, active=3) for at, n in enumerate(events)]


def test_a_change_is_of_the_last_five_full_minutes_against_the_five_before():
    changes = changes_of(minutes(99, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3))
    assert changes["Events a minute"] == (0.5, "%")
    assert changes["Page views"] == (0.5, "%")
    assert changes["Active sessions"] == (0.0, "%")
    by, unit = changes["Bounce rate"]
    assert (round(by, 6), unit) == (round(5 / 15 - 5 / 10, 6), "points")


def test_before_ten_full_minutes_are_known_nothing_has_changed():
    assert changes_of(minutes(*[1] * 9)) == {}


def test_from_nothing_there_is_no_change_that_could_be_told():
    changes = changes_of(minutes(0, 0, 0, 0, 0, 3, 3, 3, 3, 3))
    assert changes == {"Active sessions": (0.0, "%")}
