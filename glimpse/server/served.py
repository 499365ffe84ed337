"""The one thing this process serves. The only global of Glimpse: Panel runs app scripts without arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glimpse.server.composition import Glimpse

glimpse: Glimpse | None = None
