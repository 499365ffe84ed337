"""Times on the wire: epoch milliseconds or ISO 8601, a client clock that is off, and how far off an event may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from glimpse.wire.errors import FieldError, RejectReason, shown

SKEW_BELIEVED_ABOVE_MS = 60_000
MOST_AHEAD_MS = 24 * 3_600_000
MOST_BACK_MS = 7 * 24 * 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def parse_time(value: float | str | None) -> int | None:
    """Return epoch milliseconds; an ISO time without zone is UTC. None for what is no time."""
    if isinstance(value, str):
        return _parse_iso(value)
    return None if value is None else int(value)  # the decoder admits no NaN and no infinity


def _parse_iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.upper())  # RFC 3339 also has t and z
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None


class Clock(NamedTuple):
    """When a body arrived, and by how much its client's clock is off."""

    received_at: int
    skew_ms: int = 0  # what to add to the client's times

    @classmethod
    def of_body(cls, received_at: int, sent_at: int | None, *, deferred: bool) -> Clock:
        """Believe a difference of over 60 s between sending and receipt, unless the body was sent late on purpose."""
        if sent_at is None or deferred or abs(received_at - sent_at) <= SKEW_BELIEVED_ABOVE_MS:
            return cls(received_at)
        return cls(received_at, received_at - sent_at)

    def judge(self, claimed: float | str | None, parsed: int | None, errors: list[FieldError]) -> tuple[int, bool]:
        """Return the event's time, corrected, and whether it had to be replaced as too old."""
        if claimed is None:
            errors.append(FieldError("timestamp", "timestamp is required and missing", RejectReason.MISSING_FIELD))
            return self.received_at, False
        if parsed is None:
            message = f"timestamp must be epoch milliseconds or ISO 8601; it is {shown(claimed)}"
            errors.append(FieldError("timestamp", message, RejectReason.BAD_VALUE))
            return self.received_at, False
        corrected = parsed + self.skew_ms
        if corrected - self.received_at > MOST_AHEAD_MS:
            message = f"timestamp is more than 24 h ahead of the server's clock: {shown(claimed)}"
            errors.append(FieldError("timestamp", message, RejectReason.IN_THE_FUTURE))
        if self.received_at - corrected > MOST_BACK_MS:
            return self.received_at, True
        return corrected, False
