"""Sessions against a slow, obvious model: sort all events by time, and cut where the gap is over the timeout."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from records import NOON, admitted, event_of

from glimpse.events import AdmittedEvent, Event, Session
from glimpse.sessions import LATENESS_MS, SessionTracker

TIMEOUT_MS = 300_000
Said = tuple[AdmittedEvent, Event]

clients = st.sampled_from(["a", "b"])
names = st.sampled_from(["page_view", "page_leave", "click", "heartbeat", "purchase"])
facts = st.fixed_dictionaries(
    {
        "page": st.sampled_from(["/", "/hats", "/cart"]),
        "country": st.sampled_from([None, "AT", "DE"]),
        "browser": st.sampled_from([None, "Firefox", "Chrome"]),
        "source": st.sampled_from([None, "google", "news"]),
    }
)
told = st.tuples(
    clients, st.sampled_from(["shop", "blog"]), names, st.integers(0, 60_000), st.integers(0, LATENESS_MS), facts
)


def said_of(line: tuple[str, str, str, int, int, dict[str, str | None]], number: int) -> Said:
    client, project, name, at, lateness, known = line
    # Times differ, so that "the earliest" is one event.
    time = NOON + at * 50 + number
    claim = admitted(name, time, project=project, client_session=client, received_at=time + lateness)
    return claim, event_of(claim, **known)


def by_arrival(lines: list[tuple[str, str, str, int, int, dict[str, str | None]]]) -> list[Said]:
    return sorted((said_of(line, number) for number, line in enumerate(lines)), key=lambda said: said[0].received_at)


def modelled(all_said: list[Said]) -> list[list[Said]]:
    """Return the sessions as lists of events, each in the order of time."""
    visitors: dict[tuple[str, str | None], list[Said]] = defaultdict(list)
    for said in all_said:
        visitors[said[0].project, said[0].client_session].append(said)
    sessions: list[list[Said]] = []
    for events in visitors.values():
        events.sort(key=lambda said: said[0].time)
        run = [events[0]]
        for said in events[1:]:
            if said[0].time - run[-1][0].time > TIMEOUT_MS:
                sessions.append(run)
                run = []
            run.append(said)
        sessions.append(run)
    return sessions


def tracked(all_said: list[Said], *, forget: bool) -> dict[str, tuple[set[str], Session]]:
    """Return what the tracker makes of it: session -> its events and its account."""
    now_s = 0.0
    tracker = SessionTracker(monotonic_s=lambda: now_s)
    accounts: dict[str, Session] = {}
    session_of: dict[str, str] = {}
    for claim, event in all_said:
        session = tracker.assign(claim, event)
        accounts[session.id] = session
        session_of[claim.id] = session.id
        for merge in tracker.take_merges():
            del accounts[merge.gone]
            session_of = {e: merge.kept if s == merge.gone else s for e, s in session_of.items()}
        if forget:
            now_s = claim.received_at / 1000
            tracker.forget_ended()
    members = groupby(sorted(session_of.items(), key=lambda pair: pair[1]), key=lambda pair: pair[1])
    return {session_id: ({e for e, _ in pairs}, accounts[session_id]) for session_id, pairs in members}


def first(run: list[Said], fact: str) -> object:
    return next((value for _, event in run if (value := getattr(event, fact)) is not None), None)


@given(st.lists(told, min_size=1, max_size=40), st.booleans())
@hypothesis_settings(max_examples=100)
def test_events_up_to_five_minutes_late_give_the_same_sessions_in_any_order(lines, forget):
    all_said = by_arrival(lines)
    found = tracked(all_said, forget=forget)
    runs = modelled(all_said)
    assert sorted(sorted(events) for events, _ in found.values()) == sorted(sorted(c.id for c, _ in r) for r in runs)
    account_of = {frozenset(events): account for events, account in found.values()}
    for run in runs:
        account = account_of[frozenset(claim.id for claim, _ in run)]
        views = [event for _, event in run if event.name == "page_view"]
        assert (account.started_at, account.last_seen_at) == (run[0][0].time, run[-1][0].time)
        assert (account.pages, account.events) == (len(views), sum(e.name != "heartbeat" for _, e in run))
        assert account.interactions == sum(event.name in ("click", "purchase") for _, event in run)
        assert account.entry_page == (views[0].page if views else None)
        assert account.exit_page == (views[-1].page if views else None)
        assert (account.country, account.browser) == (first(run, "country"), first(run, "browser"))
        assert account.source == (views[0] if views else run[0][1]).source
        assert account.project == run[0][0].project


@given(st.lists(told, min_size=2, max_size=12), st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=40)
def test_shuffling_what_arrives_together_changes_nothing(lines, random):
    """Whatever order a batch has: all of it received at one moment, nothing of it more than 300 s old.

    Some of it happened in the same millisecond.
    """
    together = []
    for client, project, name, at, _, known in lines:
        claim = admitted(name, NOON + at % 14_000 // 2_000 * 40_000, project=project, client_session=client)
        together.append((claim, known))
    received = NOON + LATENESS_MS

    def run(order: list[tuple[AdmittedEvent, dict[str, str | None]]]) -> list[tuple[list[str], Session]]:
        said = [(claim, event_of(claim, received_at=received, **known)) for claim, known in order]
        found = tracked(said, forget=False)
        return sorted((sorted(events), account) for events, account in found.values())

    shuffled = list(together)
    random.shuffle(shuffled)
    assert run(together) == run(shuffled)
