from __future__ import annotations

from glimpse.collect.metrics import Metrics
from glimpse.collect.server.blackboard import Blackboard, total


def counted(accepted: int, **rejected: int) -> Metrics:
    metrics = Metrics()
    metrics.accepted = accepted
    metrics.rejected.update(rejected)
    metrics.request_seconds.observe(0.003)
    return metrics


def test_a_total_is_in_the_form_of_its_parts_and_adds_up_each_sample():
    parts = [counted(3, not_json=1), counted(4, not_json=2, bad_value=5)]
    together = counted(7, not_json=3, bad_value=5)
    together.request_seconds.observe(0.003)
    assert total(part.text() for part in parts) == together.text()


def test_each_place_tells_of_all_and_goes_on_where_its_forerunner_ended():
    board, first, second = Blackboard(2), counted(3), counted(4)
    place, other = board.place(0, first.text), board.place(1, second.text)
    assert b"glimpse_events_accepted_total 3.0" in place.text()
    place.show()
    assert b"glimpse_events_accepted_total 7.0" in other.text()
    after = counted(10)
    successor = board.place(0, after.text)
    successor.show()
    assert b"glimpse_events_accepted_total 17.0" in other.text()
    assert b"glimpse_events_accepted_total 13.0" in successor.text()


def test_what_is_too_long_for_a_place_leaves_what_stood_there():
    board = Blackboard(1)
    board.write(0, [b"short"])
    board.write(0, [b"x" * 100_000])
    assert board.read(0) == [b"short"]
