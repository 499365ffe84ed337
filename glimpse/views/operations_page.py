"""The operations page: whether the books balance, and how the way from edge to store is."""

from __future__ import annotations

from typing import Any

from glimpse.views.backstage import Backstage, BackstagePage, BackstagePicture
from glimpse.views.parts import script, style

LOOK_EVERY_S = 1.0
_NOT_FROM_HERE = "Letters are played again in a browser on the server's own machine, or with `glimpse dead-letters`."


class OperationsPicture(BackstagePicture):
    """The drawing."""

    _esm = script("words", "durations", "operations_page")
    _stylesheets = style("asked", "forms", "operations_page")


class OperationsPage(BackstagePage):
    """The server's numbers, asked once for all who look."""

    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage
        picture = OperationsPicture(sizing_mode="stretch_width", margin=0)
        super().__init__("operations", picture, LOOK_EVERY_S)

    async def _state(self) -> str:
        return await self._backstage.health.look()

    async def _answer(self, what: dict[str, Any]) -> dict[str, Any]:
        if not self._backstage.may_change:
            return {"told": _NOT_FROM_HERE, "is_problem": True}
        if what.get("do") != "replay":
            return {"told": "The page asked for something that there is not.", "is_problem": True}
        return {"told": await self._backstage.health.replay()}
