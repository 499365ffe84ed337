"""How views ask the store: whoever makes them hands them a call, and they know nothing of what is behind it."""

from __future__ import annotations

from typing import Any, Protocol

from glimpse.views.scope import Scope

Rows = list[dict[str, Any]]


class Ask(Protocol):
    """How a question of the store is asked: by its name, about a scope."""

    async def __call__(self, question: str, scope: Scope, **arguments: Any) -> Rows:
        """Return the answer's rows, as the API gives them."""
        ...
