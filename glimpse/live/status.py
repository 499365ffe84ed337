"""Whether what a viewer sees is what is happening."""

from __future__ import annotations

from typing import Literal

import msgspec

# Beyond this an eye notices that a click has not come yet.
DELAYED_AFTER_MS = 2_000


class PipelineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far the picture is behind, as the server knows it.

    That a viewer has lost the server is for the browser to say: see `glimpse.views.status_line`.
    """

    lag_ms: int = 0  # how long the oldest event that is not in the window yet has waited
    waiting: int = 0  # events in the buffer, not in the window yet
    problem: str | None = None  # why events don't come at all; a sentence for the page

    @property
    def state(self) -> Literal["live", "delayed"]:
        """What the status line shows while the server answers."""
        return "delayed" if self.problem or self.lag_ms > DELAYED_AFTER_MS else "live"
