from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from records import NOON, admitted, event_of

from glimpse.events import Session
from glimpse.sessions import SessionTracker, uuid7_of

MINUTE = 60_000


def visit(
    tracker: SessionTracker, name: str = "page_view", at: int = NOON, page: str | None = "/", **claim: object
) -> Session:
    said = admitted(name, at, **claim)
    return tracker.assign(said, event_of(said, page=page))


def test_event_within_five_minutes_stays_in_its_session():
    tracker = SessionTracker()
    first = visit(tracker)
    assert visit(tracker, at=NOON + 5 * MINUTE).id == first.id


def test_event_after_six_idle_minutes_opens_a_new_session():
    tracker = SessionTracker()
    first = visit(tracker)
    assert visit(tracker, at=NOON + 6 * MINUTE).id != first.id


def test_heartbeats_keep_a_session_open_without_counting_as_events():
    tracker = SessionTracker()
    first = visit(tracker)
    for minute in range(1, 10):
        visit(tracker, "heartbeat", NOON + minute * MINUTE)
    last = visit(tracker, at=NOON + 10 * MINUTE)
    assert (last.id, last.events, last.pages) == (first.id, 2, 2)


def test_a_clients_uuid_is_the_sessions_id():
    uuid = "0190c1f3-7a1b-7c3d-9e4f-0123456789ab"
    assert visit(SessionTracker(), client_session=uuid).id == uuid


def test_any_other_client_id_becomes_one_uuid_while_the_session_lives():
    tracker = SessionTracker()
    first = visit(tracker, client_session="sess_4f2a")
    second = visit(tracker, client_session="sess_4f2a", at=NOON + MINUTE)
    assert UUID(first.id)
    assert first is second


def test_a_clients_uuid_names_its_first_run_only():
    uuid = "0190c1f3-7a1b-7c3d-9e4f-0123456789ab"
    tracker = SessionTracker()
    visit(tracker, client_session=uuid)
    later = visit(tracker, client_session=uuid, at=NOON + 10 * MINUTE)
    assert later.id != uuid
    assert UUID(later.id).version == 7


def test_a_client_id_is_never_shared_between_projects():
    tracker = SessionTracker()
    here, there = visit(tracker, client_session="a"), visit(tracker, client_session="a", project="other")
    assert here.id != there.id


def test_without_a_client_id_the_visitor_hash_finds_the_session():
    tracker = SessionTracker()
    assert visit(tracker, visitor="x").id == visit(tracker, visitor="x", at=NOON + 1).id
    assert visit(tracker, visitor="y").id != visit(tracker, visitor="x").id


def test_a_session_goes_on_when_the_salt_changes_at_midnight():
    tracker = SessionTracker()
    before = visit(tracker, visitor="yesterday")
    after = visit(tracker, visitor="today", visitor_before="yesterday", at=NOON + MINUTE)
    much_later = visit(tracker, visitor="today", at=NOON + 5 * MINUTE)
    assert before.id == after.id == much_later.id


def test_a_page_and_nine_seconds_are_a_bounce_and_a_click_ends_it():
    tracker = SessionTracker()
    session = visit(tracker)
    visit(tracker, "page_leave", NOON + 9_000, properties={"engagedMs": 9_000})
    assert session.is_bounce
    visit(tracker, "add_to_cart", NOON + 9_500)
    assert not session.is_bounce


def test_entry_and_exit_follow_event_time_not_arrival():
    tracker = SessionTracker()
    visit(tracker, at=NOON + 20_000, page="/second")
    session = visit(tracker, at=NOON, page="/first")
    assert (session.entry_page, session.exit_page, session.duration_s) == ("/first", "/second", 20.0)


def test_absurd_engagement_does_not_stop_the_drain():
    session = visit(SessionTracker(), "page_leave", properties={"engagedMs": 1e308})
    assert session.engaged_ms == 24 * 3600 * 1000


def test_a_restored_session_is_joined_and_its_id_stays_taken():
    tracker = SessionTracker()
    session = visit(tracker, client_session="a")
    again = SessionTracker()
    again.restore([session], session.last_seen_at)
    assert visit(again, client_session="a", at=NOON + MINUTE).id == session.id
    assert visit(again, client_session="a", at=NOON + 20 * MINUTE).id != session.id


def test_an_event_delivered_twice_opens_the_same_session():
    said = admitted()
    ids = {SessionTracker().assign(said, event_of(said)).id for _ in range(2)}
    assert len(ids) == 1


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=40))
def test_in_order_sessions_partition_events_exactly_at_idle_gaps(offsets: list[int]):
    times = sorted(NOON + offset for offset in offsets)
    tracker = SessionTracker()
    found = [visit(tracker, at=t).id for t in times]
    gaps = [b - a > 300_000 for a, b in pairwise(times)]
    assert [a != b for a, b in pairwise(found)] == gaps


@given(st.integers(0, 2**48 - 1), st.text())
def test_made_ids_are_uuid7_with_the_events_time(time_ms: int, seed: str):
    made = UUID(uuid7_of(time_ms, seed))
    assert (made.version, made.variant, made.int >> 80) == (7, "specified in RFC 4122", time_ms)


class Uptime:
    """Seconds that nobody can set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_is_forgotten_once_later_events_have_come_in_and_time_has_passed():
    uptime = Uptime()
    tracker = SessionTracker(monotonic_s=uptime)
    visit(tracker, client_session="a")
    uptime.now += 601
    visit(tracker, at=NOON + 601_000, received_at=NOON + 601_000, client_session="b")
    tracker.forget_ended()
    assert [session.client_session for runs in tracker._runs.values() for session in runs] == ["b"]


def test_a_backlog_that_waited_for_an_hour_ends_no_session():
    uptime = Uptime()
    tracker = SessionTracker(monotonic_s=uptime)
    before = visit(tracker, client_session="a")
    uptime.now += 3_600
    tracker.forget_ended()
    assert visit(tracker, at=NOON + MINUTE, client_session="a").id == before.id


def test_another_edge_whose_clock_is_an_hour_ahead_ends_no_session():
    uptime = Uptime()
    tracker = SessionTracker(monotonic_s=uptime)
    before = visit(tracker, client_session="a")
    visit(tracker, at=NOON + 60 * MINUTE, received_at=NOON + 60 * MINUTE, client_session="b")
    uptime.now += 60
    tracker.forget_ended()
    assert visit(tracker, at=NOON + MINUTE, client_session="a").id == before.id


def test_of_a_restored_lot_only_what_can_be_joined_is_kept_open():
    tracker, again = SessionTracker(), SessionTracker()
    long_over, open_still = visit(tracker), visit(tracker, at=NOON + 20 * MINUTE)
    ahead = visit(tracker, at=NOON + 90 * MINUTE, client_session="its clock is ahead")
    again.restore([long_over, open_still, ahead], heard_to=NOON + 21 * MINUTE)
    assert len(again) == 2
    assert visit(again, at=NOON + 22 * MINUTE).id == open_still.id
