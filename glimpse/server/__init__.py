"""The composition root, and the three ways in: `panel serve`, `glimpse.start()`, and a test.

Read `composition.py` first: it builds everything once and hands it down. `tasks.py` is the table of what runs when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glimpse.server.composition import Glimpse
    from glimpse.server.dashboard import show_dashboard
    from glimpse.server.embedded import start

__all__ = ["Glimpse", "show_dashboard", "start"]

_HOMES = {"Glimpse": "composition", "show_dashboard": "dashboard", "start": "embedded"}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and no more: the server must not wait for the views."""
    from importlib import import_module  # noqa: PLC0415

    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"glimpse.server.{_HOMES[name]}"), name)
