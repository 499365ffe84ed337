"""Views of what is stored: each asks its questions off the event loop, and shows that it waits, fails or has nothing.

Rule of this module: an answer that comes after a newer question was asked is thrown away.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

import msgspec
import panel as pn
import param

from glimpse.errors import GlimpseError, QueryError, QueryTooSlow
from glimpse.views.address import Choices
from glimpse.views.ask import Ask, Rows
from glimpse.views.parts import Picture
from glimpse.views.scope import Scope
from glimpse.views.tokens import ThemeName, variables

log = logging.getLogger("glimpse.views")
_encode = msgspec.json.Encoder().encode


class AskedPicture(Picture):
    """A picture of an answer."""

    phase = param.Selector(default="loading", objects=["loading", "ready", "failed"])
    problem = param.String("", doc="Why it failed.")
    may_pass = param.Boolean(default=False, doc="Whether the same question may be answered if it is asked again.")
    wanted = param.String("", doc="What the browser asks for, as JSON.")

    __abstract = True


class AskedView(pn.viewable.Viewer):
    """A part that shows answers: alone in a cell, or on a page, which tells it the scope.

    Parameters
    ----------
    ask
        How questions are asked.
    scope
        What about.
    """

    theme = param.Selector(default="dark", objects=["dark", "light"], doc="Which of the two sets of colours.")
    picked = param.Parameter(None, doc="What was clicked on last to be filtered by: field and value.")
    choices = param.Dict(default={}, doc="What is chosen in it, as an address says it: the texts of each name.")
    compares = param.Boolean(default=False, doc="Whether what is shown stands beside that of the span before.")
    can_compare: ClassVar[bool] = False  # whether that makes a difference here
    says: tuple[str, ...] = ()  # by which names an address says it
    alone_styles: ClassVar[dict[str, str]] = {"height": "420px"}

    def __init__(self, ask: Ask, scope: Scope, *, is_alone: bool = True, **params: Any) -> None:
        super().__init__(**params)
        self._ask = ask
        self._is_alone = is_alone
        self._turn = 0
        self._task: asyncio.Task[None] | None = None
        self.scope = scope
        self.picture = self._draw()
        self.picture.param.watch(lambda change: self._take_pick(change.new), "picked")
        self.picture.param.watch(lambda change: self._take_wish(change.new), "wanted")
        self.layout = pn.Column(self.picture, sizing_mode="stretch_both", margin=0, css_classes=self._classes())
        self.param.watch(lambda _: self._turn and self.reload(), "compares")
        self.param.watch(lambda change: self._recolour(change.new), "theme")
        self._recolour(self.theme)

    def _draw(self) -> AskedPicture:
        """Make the picture, once."""
        raise NotImplementedError

    def _classes(self) -> list[str]:
        return ["g-asked"]

    async def _answer(self, scope: Scope) -> Any:
        """Return what the picture draws."""
        raise NotImplementedError

    async def _then(self, question: str, scope: Scope, **arguments: Any) -> Rows | None:
        """Ask the same of the span before; None where nothing is to be compared."""
        return await self._ask(question, scope.before, **arguments) if self.compares else None

    def _wish(self, what: dict[str, Any]) -> None:
        """Do what the browser asks for."""

    def _said(self) -> dict[str, tuple[str, ...]]:
        """Return what is chosen, by the names of `says`; what is as usual is left out."""
        return {}

    def _hear(self, said: Choices) -> None:
        """Take what is chosen, by the names of `says`; what can't be, or is not there, is as usual."""

    def choose(self, said: Choices) -> None:
        """Go on to what an address says of this part, among others."""
        mine = {name: said[name] for name in self.says if said.get(name)}
        if mine == self.choices:
            return
        before = self.choices
        self._hear(mine)
        self.choices = self._said()
        if self._turn and self.choices != before:
            self.reload()

    def show_scope(self, scope: Scope) -> None:
        """Go on to another scope."""
        if scope != self.scope or self._turn == 0:
            self.scope = scope
            self.reload()

    def reload(self) -> None:
        """Ask anew; what is shown stays until the answer is there."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a script: nothing runs that could answer
            return
        self._turn += 1
        self.picture.phase = "loading"
        if self._task is not None:
            self._task.cancel()  # nobody waits for what was asked before
        self._task = loop.create_task(self._load(self._turn))

    async def _load(self, turn: int) -> None:
        try:
            answer = await self._answer(self.scope)
        except (GlimpseError, OSError) as problem:
            is_mistaken = isinstance(problem, QueryError) and not isinstance(problem, QueryTooSlow)
            self._fail(turn, str(problem), may_pass=not is_mistaken)
        except Exception:
            log.exception("a view's question failed")
            self._fail(turn, "The question could not be answered; the server's log says why.", may_pass=True)
        else:
            if turn == self._turn:
                self.picture.param.update(state=_encode(answer).decode(), phase="ready", problem="")

    def _fail(self, turn: int, problem: str, *, may_pass: bool) -> None:
        if turn == self._turn:
            self.picture.param.update(phase="failed", problem=problem, may_pass=may_pass)

    def _take_pick(self, said: str) -> None:
        try:
            field, value, _ = msgspec.json.decode(said, type=tuple[str, str | None, int])
        except msgspec.MsgspecError:  # no browser of ours says that
            return
        self.picked = (field, value)
        self.picked = None

    def _take_wish(self, said: str) -> None:
        try:
            what = msgspec.json.decode(said, type=dict[str, Any])
        except msgspec.MsgspecError:
            return
        if "again" in what:
            self.reload()
            return
        self._wish(what)
        self.choices = self._said()

    def _recolour(self, theme: ThemeName) -> None:
        if self._is_alone:
            self.layout.styles = {**variables(theme), **self.alone_styles}

    def stop(self) -> None:
        """Wait for no answer any more."""
        self._turn += 1
        if self._task is not None:
            self._task.cancel()

    def __panel__(self) -> pn.viewable.Viewable:
        if self._is_alone:
            pn.state.onload(self.reload)
        return self.layout
