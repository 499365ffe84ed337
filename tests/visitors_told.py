"""Visitors whose presence is known: what their pages do and say, who is there at each second, and a network between.

The truth is what a server would show that hears everything at once, in order, and by a right clock. It is worked out
from what each visitor says, sorted by time, by nothing of Glimpse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from live_events import START, Clock
from records import admitted, event_of

from glimpse.events import Event, relabel
from glimpse.live import Window
from glimpse.sessions import SessionTracker
from glimpse.wire.times import Clock as ReceiptClock

HEARTBEAT_MS = 15_000
IDLE_AFTER_MS = 30_000
GONE_AFTER_MS = 300_000
DRAIN_EVERY_MS = 100
GONE_WITHIN_MS = 5_000
MOST_UNDER_WAY = 12


class Page(NamedTuple):
    """One page of a visitor. Times are true ones, epoch milliseconds."""

    name: str
    opens_at: int
    hidden: tuple[tuple[int, int], ...]
    ends_at: int
    says_farewell: bool  # or it crashes, and sends nothing more


class Told(NamedTuple):
    """One thing that a visitor's page says."""

    visitor: str
    at: int  # the true time
    name: str
    page: str


class Arrival(NamedTuple):
    """The same as it gets to the server."""

    received_at: int
    sent_at: int  # by the client's clock, as its time is
    time: int
    told: Told


# -- what visitors do --------------------------------------------------------------------------------------------------


def visit_of(visitor: str, begins_at: int, chance: Random) -> list[Page]:
    """Return the pages that one visitor opens, one after another or in a second tab, some hidden for a while."""
    pages: list[Page] = []
    at = begins_at
    for number in range(chance.choice((1, 1, 2, 3, 4, 6))):
        opens_at, hidden = at, ()
        at += _some_ms(chance, 60)
        if chance.random() < 0.35:
            away = (at, at + _some_ms(chance, chance.choice((20, 60, 250))))
            if chance.random() < 0.4:  # meanwhile another tab is looked at, and it may stay open behind
                stays = _some_ms(chance, 90) if chance.random() < 0.3 else 0
                inside = ((away[1], away[1] + stays),) if stays else ()
                pages.append(Page(f"{visitor}/{number}b", away[0], inside, away[1] + stays, chance.random() < 0.9))
            hidden, at = (away,), away[1] + _some_ms(chance, 30)
        pages.append(Page(f"{visitor}/{number}", opens_at, hidden, at, chance.random() < 0.93))
        at += chance.randrange(100, 2_000)
    return pages


def _some_ms(chance: Random, mean_s: float) -> int:
    return 1_000 + int(min(chance.expovariate(1 / mean_s), mean_s * 8) * 1000)


def said_on(visitor: str, page: Page) -> Iterator[Told]:
    """Say what the SDK says on such a page."""
    yield Told(visitor, page.opens_at, "page_view", page.name)
    for at in range(page.opens_at + HEARTBEAT_MS, page.ends_at, HEARTBEAT_MS):
        if not any(hides <= at < shows for hides, shows in page.hidden):
            yield Told(visitor, at, "heartbeat", page.name)
    for hides, shows in page.hidden:
        yield Told(visitor, hides, "page_hidden", page.name)
        if shows < page.ends_at:
            yield Told(visitor, shows, "page_visible", page.name)
    if page.says_farewell:
        yield Told(visitor, page.ends_at, "page_leave", page.name)


def everything_said(visitors: int, over_s: int, chance: Random) -> list[list[Told]]:
    """Return what each of some visitors says, in the order of time."""
    told: list[list[Told]] = []
    for number in range(visitors):
        name = f"v{number}"
        pages = visit_of(name, START + chance.randrange(over_s * 1000), chance)
        told.append(sorted((said for page in pages for said in said_on(name, page)), key=lambda said: said.at))
    return told


# -- who is there ------------------------------------------------------------------------------------------------------


def stays_of(told: list[Told]) -> Iterator[tuple[str, int, int]]:
    """Return from when until when one visitor is active or idle, by the rules in docs/metrics.md."""
    open_pages: dict[str, tuple[bool, int]] = {}  # page -> whether it is visible, and when it was heard
    ends = [said.at for said in told[1:]] + [told[-1].at + GONE_AFTER_MS]
    for before, said, until in zip([None, *told], told, ends, strict=False):
        if before and said.at - before.at > GONE_AFTER_MS:
            open_pages.clear()
        if said.name == "page_leave":
            open_pages.pop(said.page, None)
        else:
            open_pages[said.page] = (said.name != "page_hidden", said.at)
        if not open_pages:
            continue
        gone_at = min(until, said.at + GONE_AFTER_MS)
        heard = [at for is_visible, at in open_pages.values() if is_visible]
        idle_at = min(gone_at, max(heard) + IDLE_AFTER_MS) if heard else said.at
        idle_at = max(idle_at, said.at)
        yield "active", said.at, idle_at
        yield "idle", idle_at, gone_at


def truth_of(everybody: list[list[Told]], seconds: int) -> dict[str, list[int]]:
    """Return how many are active and idle at each second."""
    changes = {"active": [0] * (seconds + 1), "idle": [0] * (seconds + 1)}
    for told in everybody:
        for kind, begins, ends in stays_of(told):
            first, last = (min(seconds, -(-(at - START) // 1000)) for at in (begins, ends))
            changes[kind][first] += 1
            changes[kind][last] -= 1
    return {kind: _summed_up(steps) for kind, steps in changes.items()}


def _summed_up(steps: list[int]) -> list[int]:
    total, sums = 0, []
    for step in steps:
        total += step
        sums.append(total)
    return sums


# -- the network, and clients' clocks ----------------------------------------------------------------------------------


def arrivals_of(everybody: list[list[Told]], chance: Random) -> list[Arrival]:
    """Return all of it in the order in which it gets there: each late by itself, and by clocks that are off."""
    arrivals: list[Arrival] = []
    for told in everybody:
        ahead_ms = _clock_error_ms(chance)
        for said in told:
            sent_at = said.at + _waits_ms(chance)
            received_at = sent_at + _travels_ms(chance)
            arrivals.append(Arrival(received_at, sent_at + ahead_ms, said.at + ahead_ms, said))
    return sorted(arrivals, key=lambda arrival: arrival.received_at)


def _clock_error_ms(chance: Random) -> int:
    kind = chance.random()
    if kind < 0.8:
        return chance.randrange(-2_000, 2_000)
    return chance.randrange(-50_000, 50_000) if kind < 0.95 else chance.randrange(-7_200_000, 7_200_000)


def _waits_ms(chance: Random) -> int:
    """Return for how long it could not be sent: the client tries again, and says when it does."""
    return 0 if chance.random() < 0.998 else chance.randrange(10_000, 40_000)


def _travels_ms(chance: Random) -> int:
    usual = int(chance.lognormvariate(4.4, 0.8))  # 80 ms in the middle
    return usual if chance.random() < 0.99 else usual + chance.randrange(1_000, 10_000)


# -- Glimpse -----------------------------------------------------------------------------------------------------------


class Watched:
    """A tracker and a window that hear arrivals as the drain gives them, by a clock that goes only when told to."""

    def __init__(self) -> None:
        self.clock = Clock(START)
        self._tracker = SessionTracker()
        self.window = Window(minutes=30, max_events=1_000_000, now_ms=self.clock)
        self._sessions: dict[str, set[str]] = {}

    def take(self, arrivals: list[Arrival]) -> None:
        rows = [self._row(arrival) for arrival in arrivals]
        merges = self._tracker.take_merges()
        relabel(rows, merges)
        self.window.merge(merges)
        self.window.append(rows)

    def _row(self, arrival: Arrival) -> Event:
        told, received_at = arrival.told, arrival.received_at
        skew_ms = ReceiptClock.of_body(received_at, arrival.sent_at, deferred=False).skew_ms
        claim = admitted(told.name, arrival.time + skew_ms, received_at=received_at, client_session=told.visitor)
        event = event_of(claim, context={"pageId": told.page})
        self._tracker.assign(claim, event)
        self._sessions.setdefault(told.visitor, set()).add(event.session_id)
        return event

    def is_there(self, visitor: str) -> bool:
        """Say whether any session of a visitor is active or idle."""
        part = self.window._projects.get("shop")
        found = [part.visits.find(session) for session in self._sessions.get(visitor, ())] if part else []
        return any(visit.presence for visit in found if visit)


def watch(arrivals: list[Arrival], watched: Watched, seconds: int, look: Callable[[int], None]) -> None:
    """Let time pass; `look` is called at each second."""
    coming = iter(arrivals)
    arrival = next(coming, None)
    for tick in range(seconds * 1000 // DRAIN_EVERY_MS):
        watched.clock.now = START + tick * DRAIN_EVERY_MS
        lot: list[Arrival] = []
        while arrival and arrival.received_at <= watched.clock.now:
            lot.append(arrival)
            arrival = next(coming, None)
        if lot:
            watched.take(lot)
        if tick * DRAIN_EVERY_MS % 1000 == 0:
            look(tick * DRAIN_EVERY_MS // 1000)


class Deviation(NamedTuple):
    """How far the window was off at one second."""

    second: int
    kind: str
    truth: int
    shown: int

    @property
    def is_within_bounds(self) -> bool:
        """One per cent, or so few as are under way in the network at any moment."""
        return abs(self.shown - self.truth) <= max(0.01 * self.truth, MOST_UNDER_WAY)


class Comparison(NamedTuple):
    """What a simulation found."""

    events: int
    deviations: list[Deviation]  # one for each second and kind
    stayed: list[str]  # visitors who were still there when all of their pages had said farewell


def compare(visitors: int, *, over_s: int, seconds: int, seed: int = 1) -> Comparison:
    """Let visitors come within a time, and compare what the window says at each second with the truth."""
    chance = Random(seed)
    everybody = everything_said(visitors, over_s, chance)
    truth = truth_of(everybody, seconds)
    arrivals = arrivals_of(everybody, chance)
    to_be_gone = _to_be_gone(everybody, arrivals)
    watched, found = Watched(), Comparison(len(arrivals), [], [])

    def look(second: int) -> None:
        numbers = watched.window.numbers("shop")
        for kind, shown in (("active", numbers.active), ("idle", numbers.idle)):
            found.deviations.append(Deviation(second, kind, truth[kind][second], shown))
        found.stayed.extend(visitor for visitor in to_be_gone.get(second, ()) if watched.is_there(visitor))

    watch(arrivals, watched, seconds, look)
    return found


def _to_be_gone(everybody: list[list[Told]], arrivals: list[Arrival]) -> dict[int, list[str]]:
    """Return who has to be gone at which second: 5 s after the last farewell came in, and a while after that too."""
    came = {arrival.told: arrival.received_at for arrival in arrivals}
    seconds: dict[int, list[str]] = {}
    for told in everybody:
        pages = {said.page for said in told}
        farewells = {said.page: came[said] for said in told if said.name == "page_leave"}
        if farewells.keys() == pages:
            views = [came[said] for said in told if said.name == "page_view"]
            heard_of_all = max(*farewells.values(), *views)
            for after_ms in (GONE_WITHIN_MS, GONE_WITHIN_MS + 30_000):
                seconds.setdefault(-(-(heard_of_all + after_ms - START) // 1000), []).append(told[0].visitor)
    return seconds
