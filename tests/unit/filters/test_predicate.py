from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import admitted, event_of

from glimpse.events import Event, Session
from glimpse.filters import Filter, parse
from glimpse.filters.predicate import asks_sessions, predicate_of

from .made import filters, histories
from .model import keeps


@settings(max_examples=150)
@given(st.lists(filters, min_size=6, max_size=6), histories())
def test_a_predicate_keeps_what_the_filter_means(wheres: list[Filter], recorded: tuple[list[Event], list[Session]]):
    events, sessions = recorded
    by_key = {(session.project, session.id): session for session in sessions}
    for where in wheres:
        kept = predicate_of(where)
        for event in events:
            session = by_key.get((event.project, event.session_id))
            assert kept(event, session) is keeps(where, event, session), where


def test_a_whole_number_too_large_for_a_float_meets_no_comparison():
    event = event_of(admitted(properties={"n": 10**400}))
    assert not predicate_of(parse("properties.n > 5"))(event, None)
    assert predicate_of(parse("properties.n exists and not properties.n > 5"))(event, None)


@pytest.mark.parametrize(
    ("where", "asks"),
    [("session.pages > 1", True), ('session_id = "a"', True), ('"session" and country = "DE"', False)],
)
def test_what_may_change_with_the_session_is_told_apart(where: str, *, asks: bool):
    assert asks_sessions(parse(where)) is asks
