"""Two sessions that turn out to be one: the window is then as if it had known that from the beginning."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from live_events import START, Clock, make_event, make_window
from msgspec.structs import replace

from glimpse.events import Event, Merge
from glimpse.live import LiveNumbers

NAMES = st.sampled_from(["page_view", "click", "heartbeat", "page_hidden", "page_leave"])


def steps_of(*sessions: str) -> st.SearchStrategy[list[tuple[str, str, int]]]:
    return st.lists(st.tuples(st.sampled_from(sessions), NAMES, st.integers(1, 90_000)), max_size=12)


SILENCE, OPENED = ("other", "page_view", 300_001), ("second", "page_view", 1)
STEPS = st.builds(
    lambda before, after: [*before, SILENCE, OPENED, *after], steps_of("first", "other"), steps_of("second", "other")
)


def events_of(steps: list[tuple[str, str, int]], labels: dict[str, str]) -> list[Event]:
    found, time = [], START
    for number, (session, name, gap) in enumerate(steps):
        time += gap
        found.append(make_event(time, name, labels.get(session, session), id=str(number)))
    return found


def seen(numbers: LiveNumbers) -> LiveNumbers:
    """Return what must be the same: not the version, and not who was thought to be there in minutes gone by."""
    return replace(numbers, version=0, as_of=0, per_minute=[replace(minute, active=0) for minute in numbers.per_minute])


@given(STEPS, st.integers(0, 400_000))
@hypothesis_settings(max_examples=150)
def test_a_window_with_merged_sessions_is_as_one_that_always_knew(steps, later):
    clock = Clock()
    told, knew = make_window(clock), make_window(clock)
    for first, second in zip(events_of(steps, {}), events_of(steps, {"second": "first"}), strict=True):
        clock.now = first.time
        told.append([first])
        knew.append([second])
    told.merge([Merge("shop", "second", "first", START)])
    assert seen(told.numbers("shop")) == seen(knew.numbers("shop"))
    assert [event.session_id for event in told.events("shop")] == [event.session_id for event in knew.events("shop")]
    clock.now += later
    assert seen(told.numbers("shop")) == seen(knew.numbers("shop"))
    clock.now += 31 * 60_000
    assert told.numbers("shop").is_empty
