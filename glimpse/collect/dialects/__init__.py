"""The dialects that the edge understands. To add one, write its module and give it a row here."""

from __future__ import annotations

from glimpse.collect.dialects import (
    glimpse,
    goatcounter,
    matomo,
    pixel,
    plausible,
    posthog,
    segment,
    segment_pixel,
    umami,
)
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.dialects.glimpse import GLIMPSE

__all__ = ["DIALECTS", "GLIMPSE", "Dialect", "Endpoint", "Outcome"]

DIALECTS: tuple[tuple[Endpoint, ...], ...] = (
    glimpse.ENDPOINTS,  # Glimpse's own SDK
    pixel.ENDPOINTS,
    plausible.ENDPOINTS,
    umami.ENDPOINTS,
    goatcounter.ENDPOINTS,
    matomo.ENDPOINTS,
    segment.ENDPOINTS,  # Segment, RudderStack
    segment_pixel.ENDPOINTS,
    posthog.ENDPOINTS,
)
