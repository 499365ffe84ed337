"""Who is here now: one line a session, the one heard last on top, kept up with once a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import ref

import msgspec
import panel as pn

from glimpse.filters import Filter
from glimpse.live import Here
from glimpse.views.board import Board
from glimpse.views.parts import LiveView, Picture, script, style

MOST = 50
RENEW_EVERY_MS = 1_000
_encode = msgspec.json.Encoder().encode
_MOST_CHARS = 200


class HereLines(Picture):
    """The drawing."""

    _esm = script("words", "durations", "rows", "here")
    _stylesheets = style("here")


class HereList(LiveView):
    """Active and idle sessions with place, page, source, device, and how long ago each was heard."""

    alone_styles: ClassVar[dict[str, str]] = {"height": "300px"}

    def _build(self) -> pn.viewable.Viewable:
        self._lines = HereLines(sizing_mode="stretch_both", margin=0)
        self._pick_from(self._lines)
        self._left: tuple[Callable[[], Board | None], object] | None = None  # a board of which not all was sent
        self._refreshed_at = 0.0
        self.pull.watch(self._catch_up)
        return pn.Column(self._lines, sizing_mode="stretch_both", margin=0, css_classes=["g-here"])

    def refresh(self, board: Board) -> None:
        """Send who is there; it is worked out once a second, as all who are there are looked through for it."""
        self._lines.state = board.lasting("here", RENEW_EVERY_MS, self._state)
        self._left = None if board.is_renewed("here") else (ref(board), self._looks_at())
        self._refreshed_at = time.monotonic()

    def _catch_up(self) -> None:
        """Send what came within a second after the last time, and after it nothing more."""
        if self._left is None or 1000 * (time.monotonic() - self._refreshed_at) < RENEW_EVERY_MS:
            return
        (board_of, looked_at), self._left = self._left, None
        board = board_of()
        if board is not None and looked_at == self._looks_at():
            self._lines.state = board.renewed("here", self._state)

    def _looks_at(self) -> tuple[str, Filter | None, bool]:
        return self.pull.project, self.pull.where, self.pull.rests

    def _state(self, board: Board) -> str:
        is_over = board.span is not None and not board.span.goes_on  # then nobody who is here now is of the span
        lines = [] if is_over else self.window.here(board.numbers.project, self.pull.where, MOST)
        shown = {
            "now": board.numbers.as_of,
            "all": board.numbers.open_sessions,
            "lines": [_line(line) for line in lines],
            "is_over": is_over,
        }
        return _encode(shown).decode()


def _line(line: Here) -> dict[str, Any]:
    return {
        "id": line.session_id,
        "active": line.is_active,
        "heard": line.heard_at,
        "page": None if line.page is None else line.page[:_MOST_CHARS],
        "source": None if line.source is None else line.source[:_MOST_CHARS],
        "city": line.city or line.region,
        "country": line.country,
        "device": " on ".join(part for part in (line.browser, line.os) if part) or line.device,
        "pages": line.pages,
    }
