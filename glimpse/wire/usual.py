"""The usual body: one event within all limits, with its time in epoch milliseconds. Nearly all that comes is this.

It is read in one go. Whatever is unusual about a body, or wrong, is for `body.py`; both make the same of an event.
"""

from __future__ import annotations

from typing import Any

from glimpse.events import ClaimedEvent
from glimpse.settings import Settings
from glimpse.wire.claim import CONTEXT_TYPES, NOT_TEXTS, WireEvent, WithinLimits, canonical_id, is_canonical, is_project
from glimpse.wire.names import ALIASES
from glimpse.wire.times import MOST_AHEAD_MS, MOST_BACK_MS
from glimpse.wire.within_limits import look


def first_look(body: bytes, settings: Settings) -> WithinLimits | Exception | None:
    """Return the event that a body is, as `look` does; None for what is no single event, or one too large."""
    return look(body, settings) if body[:1] == b"{" and len(body) <= settings.max_event_bytes else None


def is_usual(event: WithinLimits, received_at: int, settings: Settings) -> bool:
    """Tell whether an event is in order as it stands; if so, give it its canonical id and name."""
    project, name, time_ms = event.projectId, event.event, event.timestamp
    if (
        project is None
        or name is None
        or type(time_ms) is not int
        or not -MOST_BACK_MS <= time_ms - received_at <= MOST_AHEAD_MS
        or event.sentAt is not None
        or event.events is not None
        or name.isspace()
        or not is_project(project)
    ):
        return False
    if event.context is None:
        event.context = {}
    elif not _is_in_order(event.context):
        return False
    if event.id:
        event.id = event.id if is_canonical(event.id) else canonical_id(event.id, project)
    if settings.name_aliases:
        event.event = ALIASES.get(name, name)
    return True


_MOST_SHAPES, _MOST_SHAPED = 256, 24
_in_order: set[tuple[tuple[str, ...], tuple[type, ...]]] = set()  # names and types of contexts that were


def _is_in_order(context: dict[str, Any]) -> bool:
    """Tell whether what has a meaning is of its type; told from the last time for what comes again and again."""
    shape = tuple(context), tuple(map(type, context.values()))
    if shape in _in_order:
        return True
    is_in_order = _is_each_in_order(context)
    if is_in_order and len(context) <= _MOST_SHAPED:
        if len(_in_order) >= _MOST_SHAPES:
            _in_order.clear()
        _in_order.add(shape)
    return is_in_order


def _is_each_in_order(context: dict[str, Any]) -> bool:
    for key, value in context.items():
        kind = type(value)
        if kind is str:
            if key in NOT_TEXTS:
                return False
        elif key in CONTEXT_TYPES and value is not None and kind not in CONTEXT_TYPES[key]:
            return False
    return True


def claim_usual(event: WireEvent) -> ClaimedEvent:
    """Return such an event as a claim."""
    user_id, anonymous_id = event.userId, event.anonymousId
    return ClaimedEvent(
        project=event.projectId or "",
        name=event.event or "",
        timestamp=int(event.timestamp or 0),
        id=event.id or None,
        session_id=event.sessionId or None,
        properties=event.properties or {},
        context=event.context or {},
        user_id=None if user_id is None else str(user_id),
        anonymous_id=None if anonymous_id is None else str(anonymous_id),
        traits=event.traits or None,
    )
