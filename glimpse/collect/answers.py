"""What the edge answers, as DESIGN's contract of the wire has it: status, headers and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from glimpse.events import DropReason
from glimpse.wire import FieldError, Reading, RejectReason

RETRY_AFTER_S = 2
_TOO_LARGE = frozenset({RejectReason.BODY_TOO_LARGE, RejectReason.BATCH_TOO_LARGE})
_SUCCESS = b'{"success":true}'
_encode = msgspec.json.encode

Dropped = Sequence[tuple[int, DropReason]]


class Answer(msgspec.Struct, frozen=True):
    """An answer that any server can send; the body is JSON."""

    status: int
    body: bytes
    headers: dict[str, str] = {}


def refusal(errors: Sequence[FieldError]) -> Answer:
    """Refuse a whole request: 413 when it is too large, else 400."""
    is_too_large = any(error.reason in _TOO_LARGE for error in errors)
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_too_large else HTTPStatus.BAD_REQUEST
    return Answer(status, _encode({"success": False, "errors": [error.shown() for error in errors]}))


def unavailable(problem: str) -> Answer:
    """Ask the client to come again."""
    body = {"success": False, "errors": [{"path": "", "message": problem}]}
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, _encode(body), {"Retry-After": str(RETRY_AFTER_S)})


def verdict(reading: Reading, dropped: Dropped) -> Answer:
    """Say what became of a body's events."""
    if reading.problem:
        return refusal([reading.problem])
    return _batch_verdict(reading, dropped) if reading.is_batch else _single_verdict(reading, dropped)


def _single_verdict(reading: Reading, dropped: Dropped) -> Answer:
    if reading.refused:
        return refusal(reading.refused[0].errors)
    return Answer(HTTPStatus.OK, _SUCCESS, {"X-Glimpse-Dropped": dropped[0][1]} if dropped else {})


def _batch_verdict(reading: Reading, dropped: Dropped) -> Answer:
    is_all_bad = bool(reading.refused) and not reading.events
    body = {
        "success": not is_all_bad,
        "accepted": len(reading.events) - len(dropped),
        "rejected": [{"index": r.index, "errors": [error.shown() for error in r.errors]} for r in reading.refused],
        "dropped": [{"index": index, "reason": reason} for index, reason in dropped],
    }
    return Answer(HTTPStatus.BAD_REQUEST if is_all_bad else HTTPStatus.OK, _encode(body))
