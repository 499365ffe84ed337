"""The explore page: what happened, how segments differ, how far sessions come, where they go, how long they stay."""

from __future__ import annotations

from typing import Any

from glimpse.views.ask import Ask
from glimpse.views.asked_page import AskedPage
from glimpse.views.event_series import EventSeries
from glimpse.views.funnel import Funnel
from glimpse.views.paths import Paths
from glimpse.views.scope import Scope
from glimpse.views.segment_menu import Saved
from glimpse.views.side_by_side import SideBySide
from glimpse.views.staying import Staying
from glimpse.views.tokens import ThemeName


class ExplorePage(AskedPage):
    """Events over time, segments side by side, funnel, retention and paths."""

    def __init__(self, ask: Ask, *, theme: ThemeName, saved: Saved | None = None) -> None:
        shared: dict[str, Any] = {"is_alone": False, "theme": theme}
        events, *others = (part(ask, Scope(), **shared) for part in (EventSeries, Funnel, Staying, Paths))
        super().__init__("explore", [events, SideBySide(ask, Scope(), saved=saved, **shared), *others])
