"""The fast way in: one typed decode that holds the limits on sizes as well, at the decoder's speed.

What it takes is within them. What it refuses may be in order all the same (deeper than usual, a field too many): it is
decoded again and looked at closely, by `limits.py`, which says what exactly is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from glimpse.settings import Settings
from glimpse.wire.claim import MOST_SESSION_ID_CHARS, WithinLimits
from glimpse.wire.unreadable import UNDECODABLE

_Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_LEVELS = 2  # of objects and arrays within properties and context; a type with more costs more to build and to check
_OUTER_DEPTH = 2  # that of properties and context


def look(text: bytes | memoryview, settings: Settings) -> WithinLimits | Exception:
    """Return an event with types and sizes checked, or the decoder's objection."""
    decode = _Latest.decode if _Latest.settings is settings else decoder_for(settings)
    try:
        return decode(text)
    except UNDECODABLE as problem:
        # Without the way it came: that holds the frames of all callers, theirs hold it, and with them the whole body.
        return problem.with_traceback(None)


def decoder_for(settings: Settings) -> Callable[[bytes | memoryview], WithinLimits]:
    """Return what decodes an event, or raises, by the limits of these settings."""
    if _Latest.settings is not settings:
        _Latest.settings, _Latest.decode = (
            settings,
            _decode_by(
                settings.max_string_chars,
                settings.max_key_chars,
                settings.max_properties,
                settings.max_name_chars,
                min(_LEVELS, settings.max_depth - _OUTER_DEPTH),
            ),
        )
    return _Latest.decode


class _Latest:
    """The settings of the last event: a process has but one."""

    settings: Settings | None = None
    decode: Any = None


@lru_cache(8)
def _decode_by(most_chars: int, most_key_chars: int, most_properties: int, most_name_chars: int, levels: int) -> Any:
    key: Any = Annotated[str, Meta(max_length=most_key_chars)]
    text: Any = Annotated[str, Meta(max_length=most_chars)]
    name: Any = Annotated[str, Meta(min_length=1, max_length=most_name_chars)]
    session: Any = Annotated[str, Meta(max_length=MOST_SESSION_ID_CHARS)]
    is_flat = levels < 0  # even properties are too deep, if there are any
    anything: Any = dict[key, _value(key, text, max(0, levels))]
    properties: Any = Annotated[anything, Meta(max_length=0 if is_flat else most_properties)]
    content: Any = Annotated[anything, Meta(max_length=0)] if is_flat else anything
    identity = text | _Integer | float | None
    limited: dict[str, Any] = {
        "event": name | None,
        "id": text | None,
        "sessionId": session | None,
        "properties": properties | None,
        "context": content | None,
        "traits": content | None,
        "userId": identity,
        "anonymousId": identity,
    }
    fields = [(field, kind, None) for field, kind in limited.items()]
    kind = msgspec.defstruct("LimitedWireEvent", fields, bases=(WithinLimits,), forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(kind).decode


def _value(key: Any, text: Any, levels: int) -> Any:
    scalar = text | _Integer | float | bool | None
    if levels == 0:
        return scalar
    inner = _value(key, text, levels - 1)
    return scalar | dict[key, inner] | list[inner]
