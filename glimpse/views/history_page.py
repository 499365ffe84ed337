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
        super().__init__(
            "history", [Overview(ask, Scope(), **shared), *(Breakdown(ask, Scope(), of=of, **shared) for of in CARDS)]
        )
