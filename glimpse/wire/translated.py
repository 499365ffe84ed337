"""Events that were said in another tracker's words: translated by a dialect, checked as all others are."""

from __future__ import annotations

from typing import Unpack

import msgspec

from glimpse.events import ClaimedEvent
from glimpse.settings import Settings
from glimpse.wire.body import Reading, Refused
from glimpse.wire.claim import Facts, WireEvent, claim, explain_types, is_project
from glimpse.wire.errors import FieldError, RejectReason
from glimpse.wire.times import Clock


def take_wire_event(
    reading: Reading,
    index: int,
    event: WireEvent | list[FieldError],
    clock: Clock,
    settings: Settings,
    size: int = 0,
    **facts: Unpack[Facts],
) -> None:
    """Put one translated event among a reading's good or refused ones.

    Parameters
    ----------
    index
        Its place in the batch.
    event
        The translation, its values as the client sent them, of whatever type; or why there is none.
    size
        Bytes it had in the body, where they can be told.
    facts
        See `ClaimedEvent`.
    """
    outcome = event if isinstance(event, list) else _judge(event, clock, settings, size, facts)
    if isinstance(outcome, ClaimedEvent):
        reading.events.append((index, outcome))
    else:
        owner = event.projectId if isinstance(event, WireEvent) and is_project(event.projectId) else None
        reading.refused.append(Refused(index, owner or "", outcome))


def _judge(
    event: WireEvent, clock: Clock, settings: Settings, size: int, facts: Facts
) -> ClaimedEvent | list[FieldError]:
    if size > settings.max_event_bytes:
        message = f"the event has {size} bytes; at most {settings.max_event_bytes} are allowed"
        return [FieldError("", message, RejectReason.OVER_LIMIT)]
    return explain_types(msgspec.structs.asdict(event)) or claim(event, None, clock, settings, facts)
