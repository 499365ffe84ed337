"""The history page: a span of time, how much there was, and of what."""

from __future__ import annotations

from typing import Any

from glimpse.views.ask import Ask
from glimpse.views.asked_page import AskedPage
from glimpse.views.breakdown import CARDS, Breakdown
from glimpse.views.overview import Overview
from glimpse.views.scope import Scope
from glimpse.views.tokens import ThemeName


class HistoryPage(AskedPage):
    """Overview and breakdowns."""

    def __init__(self, ask: Ask, *, theme: ThemeName) -> None:
        shared: dict[str, Any] = {"is_alone": False, "theme": theme}
        self._compared = [Overview(ask, Scope(), **shared), *(Breakdown(ask, Scope(), of=of, **shared) for of in CARDS)]
        super().__init__("history", self._compared)

    def show(self, scope: Scope, *, compares: bool) -> None:
        """Go on to another scope."""
        for part in self._compared:
            part.compares = compares
        super().show(scope, compares=compares)
