from __future__ import annotations

import asyncio

import panel as pn
from live_events import Clock, make_event, make_window
from waiting import wait_until_async

from glimpse.views.pull import Pull


class Viewer:
    """Counts what it is shown, with a clock of its own in seconds."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.window = make_window(self.clock)
        self.seconds = 100.0
        self.pull = Pull(self.window, "shop", clock=lambda: self.seconds)
        self.shown: list[int] = []
        self.pull.add(lambda board: self.shown.append(board.numbers.events))

    def hears(self, project: str = "shop") -> None:
        self.window.append([make_event(self.clock.now, project=project)])

    def looks_after(self, seconds: float) -> bool:
        self.seconds += seconds
        return self.pull.tick()


def test_the_first_look_shows_what_is_there():
    viewer = Viewer()
    viewer.hears()
    assert viewer.looks_after(0.05)
    assert viewer.shown == [1]


def test_nothing_is_done_while_nothing_changes():
    viewer = Viewer()
    viewer.looks_after(0.05)
    assert not any(viewer.looks_after(0.05) for _ in range(100))
    assert viewer.shown == [0]


def test_nothing_new_is_made_for_a_browser_that_has_not_read_the_last():
    viewer = Viewer()
    viewer.looks_after(0.05)
    viewer.pull.holds_back = lambda: True
    viewer.hears()
    assert not viewer.looks_after(0.2)
    viewer.pull.holds_back = lambda: False
    assert viewer.looks_after(0.05)
    assert viewer.shown == [0, 1]


def test_after_a_quiet_spell_it_refreshes_at_once_then_at_most_every_tenth_of_a_second():
    viewer = Viewer()
    viewer.looks_after(0)
    refreshed = []
    for _ in range(8):
        viewer.hears()
        refreshed.append(viewer.looks_after(0.05))
    assert refreshed == [False, True, False, True, False, True, False, True]
    viewer.looks_after(5)
    viewer.hears()
    assert viewer.looks_after(0.05)


def test_another_project_does_not_wake_it():
    viewer = Viewer()
    viewer.hears()
    viewer.looks_after(1)
    viewer.hears(project="blog")
    assert not viewer.looks_after(1)


def test_a_change_of_project_shows_with_the_next_look():
    viewer = Viewer()
    viewer.hears()
    viewer.looks_after(1)
    viewer.hears("blog")
    viewer.hears("blog")
    viewer.pull.project = "blog"
    assert viewer.looks_after(0.01)
    assert viewer.shown == [1, 2]


def test_time_alone_shows_when_a_session_falls_idle_or_the_rate_falls():
    viewer = Viewer()
    viewer.hears()
    viewer.looks_after(1)
    viewer.clock.go(10)
    assert not viewer.looks_after(1)
    viewer.clock.go(20)
    assert viewer.looks_after(1)
    viewer.clock.go(31)
    assert viewer.looks_after(1)


async def test_in_a_notebook_it_looks_on_the_kernels_own_loop_until_it_is_stopped():
    viewer = Viewer()
    viewer.hears()
    viewer.pull.begin()
    await wait_until_async(lambda: viewer.shown == [1], what="the first refresh")
    viewer.pull.stop()
    await asyncio.sleep(0)
    assert not viewer.pull.is_running


async def test_in_a_notebook_nothing_is_sent_before_a_browser_shows_the_cell():
    viewer, layout = Viewer(), pn.Column()
    viewer.hears()
    viewer.pull.begin(layout)
    (herald,) = layout
    for _ in range(5):
        await asyncio.sleep(0)
    assert viewer.shown == []
    herald.shown = 1
    await wait_until_async(lambda: viewer.shown == [1], what="the first refresh")
    viewer.pull.begin(layout)  # a second cell, which takes over what there is
    herald.shown = 2
    await wait_until_async(lambda: viewer.shown == [1, 1], what="all of it again")
    viewer.pull.stop()


def test_in_a_script_without_a_loop_it_does_not_start():
    viewer = Viewer()
    viewer.pull.begin()
    assert not viewer.pull.is_running
