from __future__ import annotations

from glimpse.collect.metrics import Metrics


def test_parts_show_numbers_that_are_read_when_asked():
    metrics, lag = Metrics(), {"now": 1.5}
    metrics.gauge_from("glimpse_drain_lag_seconds", "Age of the oldest event", lambda: lag["now"])
    metrics.counter_from("glimpse_step_seconds", "Time in a step", lambda: {"put_place": 0.25}, label="step")
    assert "glimpse_drain_lag_seconds 1.5" in metrics.text().decode()
    lag["now"] = 2.5
    text = metrics.text().decode()
    assert "glimpse_drain_lag_seconds 2.5" in text
    assert 'glimpse_step_seconds_total{step="put_place"} 0.25' in text


def test_a_part_that_cannot_be_read_hides_no_other():
    metrics = Metrics()
    metrics.gauge_from("glimpse_broken", "Fails", lambda: 1 / 0)
    metrics.accepted = 3
    text = metrics.text().decode()
    assert "glimpse_broken NaN" in text
    assert "glimpse_events_accepted_total 3.0" in text
    assert "glimpse_events_received_total 3.0" in text
