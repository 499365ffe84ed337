"""The performance page: how fast pages are for those who look at them, and what fails in their scripts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from glimpse.views.ask import Ask
from glimpse.views.asked_page import AskedPage
from glimpse.views.breakdown import Breakdown, Card
from glimpse.views.chips import chips_of, joined, picked
from glimpse.views.scope import Scope
from glimpse.views.tokens import ThemeName
from glimpse.views.vitals import Vitals, VitalsBy
from glimpse.views.vitals_series import VitalsSeries

_IS_ERROR = picked("name", "js_error")


class ScriptErrors(Breakdown):
    """Errors of scripts that nothing caught, those with the same message together."""

    cards: ClassVar[dict[str, Card]] = {
        "errors": (
            "Script errors",
            {
                "Message": ("properties.message", "events"),
                "Script": ("properties.source", "events"),
                "Page": ("page", "events"),
                "Browser": ("browser", "events"),
            },
        )
    }
    nothing: ClassVar[str] = "No script errors in this span. A page tells of them if its tag says data-errors."

    def __init__(self, ask: Ask, scope: Scope, *, of: str = "errors", **params: Any) -> None:
        super().__init__(ask, scope, of=of, **params)

    async def _answer(self, scope: Scope) -> Any:
        return await super()._answer(replace(scope, where=joined((*chips_of(scope.where), _IS_ERROR))))


class PerformancePage(AskedPage):
    """Web Vitals of all together, over time, by page, country or device, and errors."""

    def __init__(self, ask: Ask, *, theme: ThemeName) -> None:
        shared: dict[str, Any] = {"is_alone": False, "theme": theme}
        parts = (Vitals, VitalsSeries, VitalsBy, ScriptErrors)
        super().__init__("performance", [part(ask, Scope(), **shared) for part in parts])
