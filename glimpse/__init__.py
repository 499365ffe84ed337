"""Real-time web analytics on a live map: sessions, not people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glimpse.server import start

__all__ = ["start"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: `import panel` imports this package, and must not pay for it."""
    if name not in __all__:
        raise AttributeError(f"module 'glimpse' has no attribute {name!r}")
    from glimpse import server  # noqa: PLC0415

    return getattr(server, name)
