"""Where sessions go from page to page, as a Sankey diagram: of all, or from and to one page."""

from __future__ import annotations

from typing import Any, ClassVar

from glimpse.views.address import Choices
from glimpse.views.ask import Ask
from glimpse.views.asked import AskedPicture, AskedView
from glimpse.views.parts import script, style
from glimpse.views.scope import Scope

TOP = 24


class PathsPicture(AskedPicture):
    """The drawing."""

    _esm = script("table", "chart", "paths")
    _stylesheets = style("asked", "table", "paths")


class Paths(AskedView):
    """The most frequent steps from one page to the next.

    Parameters
    ----------
    page
        Only steps to and from this one.
    """

    alone_styles: ClassVar[dict[str, str]] = {"height": "520px"}

    says = ("path",)

    def __init__(self, ask: Ask, scope: Scope, *, page: str | None = None, **params: Any) -> None:
        self._page = page
        super().__init__(ask, scope, **params)

    def _draw(self) -> AskedPicture:
        return PathsPicture(sizing_mode="stretch_both", margin=0)

    def _classes(self) -> list[str]:
        return ["g-paths"]

    async def _answer(self, scope: Scope) -> Any:
        page = self._page
        rows = await self._ask("paths", scope, page=page, top=TOP)
        return {"page": page, "steps": [[row["from_page"], row["to_page"], row["steps"]] for row in rows]}

    def _wish(self, what: dict[str, Any]) -> None:
        match what:
            case {"page": str() | None as page}:
                self._page = page or None
                self.reload()

    def _said(self) -> dict[str, tuple[str, ...]]:
        return {"path": (self._page,)} if self._page else {}

    def _hear(self, said: Choices) -> None:
        self._page = said.get("path", ("",))[0] or None
