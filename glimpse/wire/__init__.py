"""Bytes to records: what a client sent becomes `ClaimedEvent`s, or errors that name field, value and what is allowed.

Rule of this package: bad input is a value, never an exception. `read_events` is all that others need.
"""

from glimpse.wire.body import Reading, Refused, read_events
from glimpse.wire.errors import FieldError, RejectReason

__all__ = ["FieldError", "Reading", "Refused", "RejectReason", "read_events"]
