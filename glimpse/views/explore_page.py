"""The explore page: how far sessions come, where they go, and how long they stay."""

from __future__ import annotations

from typing import Any

from glimpse.views.asked import Ask
from glimpse.views.asked_page import AskedPage
from glimpse.views.funnel import Funnel
from glimpse.views.paths import Paths
from glimpse.views.scope import Scope
from glimpse.views.staying import Staying
from glimpse.views.tokens import ThemeName


class ExplorePage(AskedPage):
    """Funnel, paths and retention."""

    def __init__(self, ask: Ask, *, theme: ThemeName) -> None:
        shared: dict[str, Any] = {"is_alone": False, "theme": theme}
        super().__init__("explore", [part(ask, Scope(), **shared) for part in (Funnel, Staying, Paths)])
