"""What can be wrong with an event: a closed set of reasons, and errors a caller can act on."""

from __future__ import annotations

from enum import StrEnum

import msgspec

MOST_SHOWN_CHARS = 80


class RejectReason(StrEnum):
    """Why an event was refused: the ledger's and the metrics' word for it."""

    NOT_JSON = "not_json"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    BAD_VALUE = "bad_value"
    IN_THE_FUTURE = "in_the_future"
    OVER_LIMIT = "over_limit"
    BODY_TOO_LARGE = "body_too_large"
    BATCH_TOO_LARGE = "batch_too_large"
    UNSUPPORTED = "unsupported"  # another tracker's, and no event: a recording of the screen, say
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    RATE_LIMITED = "rate_limited"


class Shown(msgspec.Struct, frozen=True, gc=False):
    """A mistake as an answer carries it."""

    path: str
    message: str


class FieldError(msgspec.Struct, frozen=True, gc=False):
    """One thing that is wrong; `reason` is for the books and not shown."""

    path: str
    message: str
    reason: RejectReason

    def shown(self) -> Shown:
        """Return it as an answer carries it."""
        return Shown(self.path, self.message)


def shown(value: object) -> str:
    """Return a value as a message quotes it: as JSON, cut to a readable length."""
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, OverflowError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= MOST_SHOWN_CHARS else f"{text[:MOST_SHOWN_CHARS]}…"


_WORDS: dict[type, str] = {
    bool: "a boolean",
    type(None): "null",
    str: "a string",
    int: "a number",
    float: "a number",
    dict: "an object",
    list: "an array",
}


def json_type(value: object) -> str:
    """Return a value's type in the words of JSON."""
    return _WORDS.get(type(value), type(value).__name__)
