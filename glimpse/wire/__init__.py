"""Bytes to records: what a client sent becomes `ClaimedEvent`s, or errors that name field, value and what is allowed.

Rule of this package: bad input is a value, never an exception. `read_events` reads our own events; other dialects
inflate a body with `plain_body`, translate it, and give each event to `take_wire_event`.
"""

from glimpse.wire.body import Reading, Refused, read_events, read_looked
from glimpse.wire.claim import WireEvent, WithinLimits
from glimpse.wire.errors import FieldError, RejectReason
from glimpse.wire.inflate import plain_body
from glimpse.wire.times import Clock, parse_time
from glimpse.wire.translated import take_wire_event
from glimpse.wire.usual import claim_usual, first_look, is_usual

__all__ = [
    "Clock",
    "FieldError",
    "Reading",
    "Refused",
    "RejectReason",
    "WireEvent",
    "WithinLimits",
    "claim_usual",
    "first_look",
    "is_usual",
    "parse_time",
    "plain_body",
    "read_events",
    "read_looked",
    "take_wire_event",
]
