"""How a viewer follows: it looks every 50 ms whether a number has changed, and only then reads what is new.

The window never calls a viewer. A viewer that stalls holds up nobody, and one that goes takes its timer with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

import panel as pn
from bokeh.document import Document

from glimpse.errors import QueryError, TooManyFilters
from glimpse.filters import Filter
from glimpse.live import Window
from glimpse.views.ask import Ask
from glimpse.views.board import Board, board_of
from glimpse.views.herald import Herald
from glimpse.views.span_board import Span, SpanBoard, span_board_of

LOOK_EVERY_MS = 50
# Every second look, 100 ms: a little less, as a look that comes a millisecond early must not wait for the next.
REFRESH_AT_MOST_EVERY_S = 0.09
AGAIN_WITHIN_S = 5.0  # for how long a view waits that is shown a second time


class Pull:
    """One viewer's timer. Parts add what they do with a newer board; the first to be shown starts it.

    Parameters
    ----------
    where
        What of the project is shown; None is all.
    ask
        How the store is asked for another span than the window's; without it there is none.
    """

    def __init__(
        self,
        window: Window,
        project: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        where: Filter | None = None,
        ask: Ask | None = None,
    ) -> None:
        self._ask = ask
        self._span: Span | None = None
        self._spanned: SpanBoard | None = None  # kept, as it lives as long as somebody has it
        self._window = window
        self._project = project
        self._where = where
        self._board: Board | None = None  # kept, as that of a filter lives as long as somebody has it
        self.problem = ""  # why nothing can be shown through the filter
        self.holds_back: Callable[[], bool] = lambda: False  # while the browser has not read what it was sent
        self.rests = False  # while another page is shown, only what is always there follows
        self._always: list[Callable[[Board], None]] = []
        self._early: list[Callable[[Board], None]] = []
        self._endings: list[Callable[[], None]] = []
        self._clock = clock
        self._refreshers: list[Callable[[Board], None]] = []
        self._watchers: list[Callable[[], None]] = []
        self._seen: object = None
        self._refreshed_at = 0.0
        self._is_begun = False
        self._held_until = 0.0
        self._document: Document | None = None
        self._timer: Any = None
        self._task: asyncio.Task[None] | None = None

    @property
    def project(self) -> str:
        """Which project is shown; another one is shown with the next look."""
        return self._project

    @project.setter
    def project(self, project: str) -> None:
        self._project = project
        self.refresh_soon()

    @property
    def where(self) -> Filter | None:
        """What of the project is shown, None for all; another filter is looked through with the next look."""
        return self._where

    @where.setter
    def where(self, where: Filter | None) -> None:
        self._where = where
        self.refresh_soon()

    @property
    def span(self) -> Span | None:
        """Which span is shown, None for the live window; another one is shown as soon as the store has answered."""
        return self._span

    @span.setter
    def span(self, span: Span | None) -> None:
        if span != self._span:
            self._span = span
            self.refresh_soon()

    @property
    def state(self) -> str:
        """What can't be seen of the span that is shown: empty, `loading`, or why there is no answer."""
        if self._span is None:
            return ""
        return (self._spanned.problem or ("" if self._spanned.is_there else "loading")) if self._spanned else "loading"

    def add(self, refresh: Callable[[Board], None], *, always: bool = False, early: bool = False) -> None:
        """Call something with each newer board; `always` also while another page is shown, `early` see `prepare`."""
        (self._always if always else self._refreshers).append(refresh)
        if early:
            self._early.append(refresh)

    def prepare(self) -> None:
        """Have a page made with its numbers, so that they are painted with it and not a round trip later.

        Only for parts that show what they are made with; the first look sends everything all the same.
        """
        if self.rests or self._span is not None:
            return
        with contextlib.suppress(QueryError, TooManyFilters):  # which the first look tells of
            self._board = board_of(self._window, self._project, self._where)
            for refresh in self._early:
                refresh(self._board)

    def watch(self, look: Callable[[], None]) -> None:
        """Call something with each look, as the status line, which changes when nothing comes."""
        self._watchers.append(look)

    def at_end(self, end: Callable[[], None]) -> None:
        """Call something when the viewer has gone, as what it waits for would keep it."""
        self._endings.append(end)

    def refresh_soon(self) -> None:
        """Refresh with the next look, whether anything changed or not."""
        self._seen, self._refreshed_at = None, 0.0

    def begin(self, layout: Any = None) -> None:
        """Start when the viewer is ready: when the page has loaded, or a browser shows the notebook's cell.

        Parameters
        ----------
        layout
            What is to be shown, a Panel list; in a notebook it gets an invisible part that says when it is.
        """
        if self._is_begun:
            self._hold(AGAIN_WITHIN_S)
            return
        self._is_begun = True
        document = pn.state.curdoc
        if document is not None and document.session_context is not None:
            # Before the browser is attached an update would be lost, and the page stay as it is.
            pn.state.onload(self._start_on_page)
        else:
            self._start_in_notebook(layout)

    def stop(self) -> None:
        """Look no more. A page that is closed does this by itself."""
        document, timer, task = self._document, self._timer, self._task
        self._forget()
        if document is not None and timer is not None:
            document.remove_periodic_callback(timer)
        if task is not None:
            task.cancel()

    def _forget(self) -> None:
        self._document = self._timer = self._task = self._spanned = None
        self._is_begun = False
        for end in self._endings:
            end()

    @property
    def is_running(self) -> bool:
        """Whether it looks."""
        return self._timer is not None or self._task is not None

    def tick(self) -> bool:
        """Look once; return whether there was something new."""
        for look in self._watchers:
            look()
        try:
            return self._look_through()
        except (
            QueryError,
            TooManyFilters,
        ) as problem:  # too many look through filters of their own: what is shown stays, and says so
            self.problem = str(problem)
            return False

    def _look_through(self) -> bool:
        version = self._version()
        if version == self._seen:
            return False
        now = self._clock()
        if now - self._refreshed_at < REFRESH_AT_MOST_EVERY_S or self.holds_back():
            return False
        self._seen, self._refreshed_at = version, now
        board = self._board = board_of(self._window, self._project, self._where)
        self.problem = ""
        shown = self._laid_under(board)
        with pn.io.hold():
            for refresh in self._always:
                refresh(board)
            if shown is not None and not self.rests:
                for refresh in self._refreshers:
                    refresh(shown)
        return True

    def _laid_under(self, live: Board) -> Board | None:
        """Return the board of what is shown, None while it is not known."""
        if self._span is None:
            return live
        return self._spanned.laid_under(live) if self._spanned else None

    def _version(self) -> object:
        """Return what changes whenever what is shown does."""
        if self._where is None:
            version = self._window.look(self._project)
        else:
            version = self._window.look(self._project, self._where)
        span = None if self.rests else self._span
        if self._ask is None or span is None or not span.tz:  # a browser says its zone as soon as it is there
            self._spanned = None
            return version
        self._spanned = span_board_of(self._window, self._ask, self._project, self._where, span)
        return version, self._spanned.look(version)

    def _start_on_page(self) -> None:
        self._document = pn.state.curdoc
        if self._document is not None:
            # Panel may keep a closed page's document: it must not keep this, and with it every part. The timer ends
            # with the session; which callback of those is called first is left to chance.
            self._timer = self._document.add_periodic_callback(_weakly(self._look), LOOK_EVERY_MS)
            forget = _weakly(self._forget)
            self._document.on_session_destroyed(lambda _: forget())

    def _look(self) -> None:
        self.tick()

    def _start_in_notebook(self, layout: Any) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._is_begun = False  # a script: nothing runs that could follow
            return
        if layout is not None:
            herald = Herald()
            herald.param.watch(lambda _: self._release(), "shown")
            layout.append(herald)
            self._hold(math.inf)
        self._task = loop.create_task(self._look_for_ever())

    def _hold(self, seconds: float) -> None:
        """Send nothing to a cell that is being put up: of a change that comes then, the browser may take half."""
        if self._document is None:
            self._held_until = self._clock() + seconds

    def _release(self) -> None:
        self._held_until = 0.0
        self.refresh_soon()

    async def _look_for_ever(self) -> None:
        while True:
            if self._clock() >= self._held_until:
                self.tick()
            await asyncio.sleep(LOOK_EVERY_MS / 1000)


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Return a call of a method that does not keep its object, and does nothing once that is gone."""
    weak = WeakMethod(method)

    def call() -> None:
        if (alive := weak()) is not None:
            alive()

    return call
