"""Whether this is live: what the server knows of its delay, and what only the browser knows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from weakref import ref

import msgspec
import panel as pn

from glimpse.live import ALL_PROJECTS, PipelineStatus, Window
from glimpse.views.board import Board
from glimpse.views.parts import LiveView, Picture, script, style
from glimpse.views.pull import Pull

ASK_EVERY_S = 1.0
TELL_EVERY_MS = 1_000  # when the last event came is told in whole seconds
_encode = msgspec.json.Encoder().encode


class StatusText(Picture):
    """The drawing."""

    _esm = script("durations", "status_line")
    _stylesheets = style("status_line")


class StatusLine(LiveView):
    """Live, delayed or disconnected, and when the last event came.

    Parameters
    ----------
    status
        Asked once a second.
    """

    is_always_there = True

    def __init__(
        self,
        window: Window,
        project: str = ALL_PROJECTS,
        *,
        status: Callable[[], PipelineStatus] = PipelineStatus,
        pull: Pull | None = None,
        **params: Any,
    ) -> None:
        self._status = status
        self._now = status()
        self._asked_at = 0.0
        self._last: dict[str, Any] = {"last": None, "now": None}
        self._board: Callable[[], Board | None] = lambda: None
        super().__init__(window, project, pull=pull, **params)
        self.pull.watch(self._ask)
        self._show()

    def _build(self) -> pn.viewable.Viewable:
        self._line = StatusText(margin=0)
        return pn.Row(self._line, margin=0, css_classes=["g-status"])

    def refresh(self, board: Board) -> None:
        """Say when the last event came."""
        recent, now = board.numbers.recent, board.numbers.as_of
        if board is not self._board() or now - (self._last["now"] or 0) >= TELL_EVERY_MS:
            self._board = ref(board)
            self._last = {"last": recent[-1].heard_at if recent else None, "now": now}
            self._show()

    def _ask(self) -> None:
        if time.monotonic() - self._asked_at < ASK_EVERY_S:
            return
        self._asked_at = time.monotonic()
        status = self._status()
        if _shown(status) != _shown(self._now):
            self._now = status
            self._show()

    def _show(self) -> None:
        now = self._now
        shown = {"state": now.state, "lag_s": now.lag_ms // 1000, "problem": now.problem}
        self._line.state = _encode(shown | self._last).decode()


def _shown(status: PipelineStatus) -> tuple[str, str | None, int]:
    """Return what makes a difference: milliseconds would be news with each look."""
    return status.state, status.problem, status.lag_ms // 1000 if status.state == "delayed" else 0
