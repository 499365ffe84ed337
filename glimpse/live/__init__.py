"""What is happening now, held in memory: the one model that every viewer reads and only the drain writes.

`window.Window` is the door. It keeps counts that grow and shrink with each event, so that asking costs the same
on a quiet site and on a busy one.
"""

from glimpse.live.numbers import Here, LiveNumbers, Minute, PlaceNow, Ranked, Recent
from glimpse.live.status import PipelineStatus
from glimpse.live.window import ALL_PROJECTS, Arrivals, Window

__all__ = [
    "ALL_PROJECTS",
    "Arrivals",
    "Here",
    "LiveNumbers",
    "Minute",
    "PipelineStatus",
    "PlaceNow",
    "Ranked",
    "Recent",
    "Window",
]
