"""The live page over another span: what is asked of the store, how often, and what is shown until it answers."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from typing import Any
from weakref import ref

import pytest
from live_events import Clock, make_event, make_window
from waiting import wait_until_async

from glimpse.errors import StoreUnavailable
from glimpse.live import Window
from glimpse.views import span_board
from glimpse.views.board import Board
from glimpse.views.pull import Pull
from glimpse.views.scope import HOUR_MS, Scope
from glimpse.views.span_board import Span

DAY = Span("24h", "", "UTC")
COUNTS = {"events": 70, "page_views": 50, "sessions": 9, "bounces": 3}


class Store:
    """Answers as if it had the same of any span, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.scopes: list[Scope] = []
        self.is_away = False

    async def ask(self, question: str, scope: Scope, **arguments: Any) -> list[dict[str, Any]]:
        self.asked[question] += 1
        self.scopes.append(scope)
        await asyncio.sleep(0)
        if self.is_away:
            raise StoreUnavailable("the store is away")
        return [COUNTS] if question == "totals" else []


def viewer(window: Window, store: Store, span: Span | None = DAY) -> tuple[Pull, list[Board]]:
    pull, shown = Pull(window, "shop", ask=store.ask), list[Board]()
    pull.span = span
    pull.add(shown.append)
    return pull, shown


async def look_until_shown(pull: Pull, shown: list[Board]) -> Board:
    def look() -> bool:
        pull.tick()
        return bool(shown)

    await wait_until_async(look, what="a board")
    return shown[-1]


@pytest.fixture
def window() -> Window:
    clock = Clock()
    window = make_window(clock)
    window.append([make_event(clock.now)])
    return window


async def test_until_the_store_answers_nothing_is_shown_as_the_spans(window: Window):
    pull, shown = viewer(window, Store())
    assert pull.state == "loading"
    pull.tick()
    assert shown == []
    board = await look_until_shown(pull, shown)
    assert (board.numbers.events, board.numbers.sessions, board.span and board.span.before) == (70, 9, COUNTS)
    assert pull.state == ""


async def test_who_is_here_now_is_laid_over_a_span_that_goes_on_and_over_no_other(window: Window):
    here = window.numbers("shop").open_sessions
    assert here > 0
    for until, told in (("", here), ("2026-01-01", 0)):
        pull, shown = viewer(window, Store(), Span("2025-12-01", until, "UTC") if until else DAY)
        assert (await look_until_shown(pull, shown)).numbers.open_sessions == told


async def test_two_who_look_at_the_same_ask_once_and_who_looks_at_another_span_asks_anew(window: Window):
    store = Store()
    pulls = [viewer(window, store) for _ in range(2)]
    boards = [await look_until_shown(*one) for one in pulls]
    assert boards[0] is boards[1]
    assert store.asked["totals"] == 2  # of the span, and of the one before
    spans = {scope.until - scope.since for scope in store.scopes}
    assert spans == {24 * HOUR_MS}
    pulls[0][0].span = Span("1h", "", "UTC")
    pulls[0][1].clear()
    assert await look_until_shown(*pulls[0]) is not boards[1]
    assert store.asked["totals"] == 4


async def test_what_comes_is_asked_for_again_but_not_with_each_event(window: Window, monkeypatch: pytest.MonkeyPatch):
    store = Store()
    pull, shown = viewer(window, store)
    await look_until_shown(pull, shown)
    for _ in range(3):
        window.append([make_event(Clock().now)])
        pull.tick()
        await asyncio.sleep(0.01)
    assert store.asked["series"] == 1
    monkeypatch.setattr(span_board, "AGAIN_EVERY_S", 0.0)
    other, theirs = viewer(window, store, Span("7d", "", "UTC"))
    await look_until_shown(other, theirs)
    window.append([make_event(Clock().now)])

    def asked_again() -> bool:
        other.tick()
        return store.asked["series"] == 3

    await wait_until_async(asked_again, what="the span is asked about again")


async def test_a_store_that_is_away_is_told_and_another_span_is_asked_for_all_the_same(window: Window):
    store = Store()
    store.is_away = True
    pull, shown = viewer(window, store)

    def is_told() -> bool:
        pull.tick()
        return pull.state == "the store is away"

    await wait_until_async(is_told, what="the problem")
    assert shown == []
    store.is_away = False
    pull.span = Span("7d", "", "UTC")
    await look_until_shown(pull, shown)
    assert pull.state == ""


async def test_nothing_of_a_span_stays_when_nobody_looks_any_more(window: Window):
    store = Store()
    pull, shown = viewer(window, store)
    left = ref(await look_until_shown(pull, shown))
    shown.clear()
    pull.rests = True
    pull.refresh_soon()
    pull.tick()
    gc.collect()
    assert left() is None


async def test_back_in_the_window_its_own_numbers_are_shown(window: Window):
    pull, shown = viewer(window, Store())
    await look_until_shown(pull, shown)
    pull.span = None
    pull.tick()
    assert shown[-1].span is None
    assert shown[-1].numbers is window.numbers("shop")
