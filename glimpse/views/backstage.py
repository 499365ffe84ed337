"""What the pages for whoever runs a server are made of: the projects' registry, and how the server is.

Rule of this module: who may change nothing is shown everything, and whatever a browser says is checked again here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import panel as pn
import param

from glimpse.errors import GlimpseError
from glimpse.projects import Projects
from glimpse.views.parts import Picture, style

log = logging.getLogger("glimpse.views")
_encode = msgspec.json.Encoder().encode


class Health(Protocol):
    """How a server is, and what can be done about it."""

    async def look(self) -> str:
        """Return it as JSON, the same for all who look."""
        ...

    async def replay(self) -> str:
        """Play all dead letters again; return what to say of it."""
        ...


@dataclass(frozen=True)
class Backstage:
    """What a viewer's pages are given."""

    registry: Projects
    stored: Callable[[], list[str]]  # projects of which the store has events
    health: Health
    may_change: bool = False
    sdk_url: str = ""  # the tracker's address, where a setting tells it


class BackstagePicture(Picture):
    """A picture of a page whose browser asks for something to be done, and is told what became of it."""

    wanted = param.String("", doc="What the browser asks for, as JSON.")
    answer = param.String("", doc="What became of it, as JSON.")

    __abstract = True


class BackstagePage:
    """One page, a single picture, which is looked at again while it is shown.

    Parameters
    ----------
    picture
        The drawing.
    every_s
        How often it is looked at.
    """

    def __init__(self, name: str, picture: BackstagePicture, every_s: float) -> None:
        self.picture = picture
        self._every_s = every_s
        self._looked_at = -every_s
        self._doing: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        picture.param.watch(lambda change: self._take_wish(change.new), "wanted")
        self.layout = pn.Column(
            picture,
            css_classes=[f"g-page-{name}"],
            stylesheets=style("backstage_page"),
            sizing_mode="stretch_width",
            margin=0,
        )

    def look(self) -> None:
        """Look again, if it is time and the last look is over."""
        now = time.monotonic()
        if now - self._looked_at >= self._every_s and not _is_under_way(self._looking):
            self._looked_at = now
            self._looking = asyncio.get_running_loop().create_task(self._renew())

    async def _renew(self) -> None:
        try:
            self.picture.state = await self._state()
        except GlimpseError as problem:
            self._tell(told=str(problem), is_problem=True)

    async def _state(self) -> str:
        raise NotImplementedError

    def _take_wish(self, said: str) -> None:
        try:
            what = msgspec.json.decode(said, type=dict[str, Any])
        except msgspec.MsgspecError:  # no browser of ours says that
            return
        if not _is_under_way(self._doing):
            self._doing = asyncio.get_running_loop().create_task(self._do(self._answer(what)))

    async def _answer(self, what: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    async def _do(self, work: Coroutine[Any, Any, dict[str, Any]]) -> None:
        try:
            self._tell(**await work)
        except GlimpseError as problem:
            self._tell(told=str(problem), is_problem=True)
        except Exception:
            log.exception("what a viewer asked for failed")
            self._tell(told="It could not be done; the server's log says why.", is_problem=True)
        self._looked_at = -self._every_s

    def _tell(self, **what: Any) -> None:
        self.picture.answer = _encode({"at": time.monotonic_ns(), **what}).decode()

    def stop(self) -> None:
        """Wait for nothing any more. What was asked for is done all the same."""
        if self._looking:
            self._looking.cancel()


def _is_under_way(task: asyncio.Task[None] | None) -> bool:
    return task is not None and not task.done()
