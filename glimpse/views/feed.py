"""The live feed: what has come in, newest first. The browser gets only what is new, and keeps a bounded number.

A viewer may stop it, search it, and see one type of event only: that is the browser's, as it is about rows it has. What
is searched for, and which type, it tells, to stand in the address.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import panel as pn
import param

from glimpse.live import Recent
from glimpse.views.address import Choices, said_text
from glimpse.views.board import Board
from glimpse.views.labels import event_label
from glimpse.views.parts import LiveView, Picture, script, style

ROWS = 40
_encode = msgspec.json.Encoder().encode
_MOST_CHARS = 200


class Rows(Picture):
    """The drawing; `state` is what is new, `slots` which type has which colour."""

    slots = param.String("", doc="Colour slots by event name, as JSON.")
    find = param.String("", doc="What is searched for.")
    only = param.String("", doc="The type of event that is shown alone; all, if empty.")
    ready = param.Integer(0, doc="Counted up by the browser when it is ready to draw: what came before is lost to it.")
    _esm = script("words", "rows", "feed")
    _stylesheets = style("feed")


class Feed(LiveView):
    """Time, event, page, place, source and device of each event as it comes."""

    alone_styles: ClassVar[dict[str, str]] = {"height": "440px"}
    says = ("feed", "feed_find")
    is_early = False  # it is sent batches, and says when it is ready for them

    def _build(self) -> pn.viewable.Viewable:
        self._rows = Rows(sizing_mode="stretch_both", margin=0)
        self._board: Board | None = None
        self._number = -1
        self._batch = 0
        self._rows.param.watch(lambda _: self._send_all(), "ready")
        self._rows.param.watch(lambda *_: self._say(), ["find", "only"])
        self._pick_from(self._rows)
        return pn.Column(self._rows, sizing_mode="stretch_both", margin=0, css_classes=["g-feed"])

    def _say(self) -> None:
        self.choices = said_text("feed", self._rows.only) | said_text("feed_find", self._rows.find)

    def _hear(self, said: Choices) -> None:
        only, find = (said.get(name, ("",))[0] for name in self.says)
        self._rows.param.update(only=only, find=find)

    def refresh(self, board: Board) -> None:
        """Send what has come in since the last time."""
        recent = board.numbers.recent
        self._rows.slots = board.json("slots", lambda b: b.slots)
        latest = recent[-1].number if recent else 0
        if board is not self._board:
            self._board = board
            self._send_all()
        elif latest != self._number:
            # Viewers that looked at the same moments share the text.
            self._send(board, [r for r in recent if r.number > self._number], is_new=not recent)
        self._number = latest

    def _send_all(self) -> None:
        if self._board is not None:
            self._send(self._board, self._board.numbers.recent, is_new=True)

    def _send(self, board: Board, fresh: list[Recent], *, is_new: bool) -> None:
        since = "all" if is_new else self._number
        rows = board.made(f"feed.{since}", lambda _: _encode([row(r) for r in fresh[-ROWS:]]).decode())
        more = 0 if is_new else max(0, len(fresh) - ROWS)
        self._batch += 1
        self._rows.state = (
            f'{{"batch":{self._batch},"anew":{"true" if is_new else "false"},"more":{more},"rows":{rows}}}'
        )


def row(recent: Recent) -> dict[str, Any]:
    """Return what the feed shows of an event; texts are cut, but not otherwise changed."""
    event = recent.event
    return {
        "n": recent.number,
        "time": event.time,
        "name": event.name,
        "label": _cut(event_label(event.name)),
        "page": _cut(event.page),
        "title": _cut(event.title),
        "city": event.city,
        "country": event.country,
        "region": event.region,
        "source": _cut(event.source),
        "browser": event.browser,
        "device": " on ".join(part for part in (event.browser, event.os) if part) or event.device,
    }


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _MOST_CHARS else text[:_MOST_CHARS] + "…"
