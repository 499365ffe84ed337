"""What the edge answers, as DESIGN's contract of the wire has it: status, headers and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus

import msgspec

from glimpse.events import DropReason
from glimpse.wire import FieldError, Reading, RejectReason

RETRY_AFTER_S = 2
_MOST_FLOODS = 256  # whose answer is kept
_TOO_LARGE = frozenset({RejectReason.BODY_TOO_LARGE, RejectReason.BATCH_TOO_LARGE})
_SUCCESS = b'{"success":true}'
encode = msgspec.json.encode

Dropped = Sequence[tuple[int, DropReason]]


JSON = "application/json; charset=utf-8"


class Answer(msgspec.Struct, frozen=True):
    """An answer that any server can send."""

    status: int
    body: bytes
    headers: dict[str, str] = {}
    content_type: str = JSON


def with_headers(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """Return an answer with more headers."""
    return msgspec.structs.replace(answer, headers={**answer.headers, **headers})


def is_too_large(errors: Sequence[FieldError]) -> bool:
    """Tell whether a request is refused for what it weighs."""
    return bool(errors) and errors[0].reason in _TOO_LARGE  # it stands alone


TAKEN = Answer(HTTPStatus.OK, _SUCCESS)


def refusal(errors: Sequence[FieldError]) -> Answer:
    """Refuse a whole request: 413 when it is too large, else 400."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_too_large(errors) else HTTPStatus.BAD_REQUEST
    return Answer(status, encode({"success": False, "errors": [error.shown() for error in errors]}))


def unavailable(problem: str) -> Answer:
    """Ask the client to come again."""
    return failure(HTTPStatus.SERVICE_UNAVAILABLE, problem, {"Retry-After": str(RETRY_AFTER_S)})


def too_many(after_s: float, kind: str, rate: float) -> Answer:
    """Refuse for now what comes faster than a limit allows."""
    return _too_many(max(1, math.ceil(after_s)), kind, rate)


@lru_cache(_MOST_FLOODS)
def _too_many(wait_s: int, kind: str, rate: float) -> Answer:
    message = f"too many events: at most {rate:g} a second are taken of one {kind}; try again in {wait_s} s"
    return failure(HTTPStatus.TOO_MANY_REQUESTS, message, {"Retry-After": str(wait_s)})


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    """Say what went wrong with a request as a whole."""
    body = {"success": False, "errors": [{"path": "", "message": message}]}
    return Answer(status, encode(body), headers or {})


def verdict(reading: Reading, dropped: Dropped) -> Answer:
    """Say what became of a body's events."""
    if reading.problem:
        return refusal([reading.problem])
    if reading.is_batch:
        return _batch_verdict(reading, dropped)
    return refusal(reading.refused[0].errors) if reading.refused else TAKEN


def _batch_verdict(reading: Reading, dropped: Dropped) -> Answer:
    is_all_bad = bool(reading.refused) and not reading.events
    body = {
        "success": not is_all_bad,
        "accepted": len(reading.events) - len(dropped),
        "rejected": [{"index": r.index, "errors": [error.shown() for error in r.errors]} for r in reading.refused],
        "dropped": [{"index": index, "reason": reason} for index, reason in dropped],
    }
    return Answer(HTTPStatus.BAD_REQUEST if is_all_bad else HTTPStatus.OK, encode(body))
