"""What may be said of which field, with which values.

Rule of this module: each mistake's message says what is allowed instead.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import re2

from glimpse.errors import QueryError
from glimpse.filters.fields import Field, Kind

Value = str | float | bool

MOST_VALUES = 1000  # of one `in`
MOST_TEXT_CHARS = 4096  # of one value: that of the wire
MOST_PATTERN_CHARS = 1000
LAST_MS = 253_402_300_799_999  # the end of year 9999, the last that stores can hold
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNFIT_TEXT = re.compile(r"[\x00\ud800-\udfff]")  # no store can hold or be asked for them
_REGEX = re2.Options()
_REGEX.log_errors = False


class Op(StrEnum):
    """What a condition says of a field."""

    IS = "is"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    MATCHES = "matches"
    GREATER = "greater"
    GREATER_OR_IS = "greater_or_is"
    LESS = "less"
    LESS_OR_IS = "less_or_is"
    BETWEEN = "between"  # both ends included
    EXISTS = "exists"


TEXT_OPS = frozenset({Op.CONTAINS, Op.STARTS_WITH, Op.MATCHES})
ORDER_OPS = frozenset({Op.GREATER, Op.GREATER_OR_IS, Op.LESS, Op.LESS_OR_IS, Op.BETWEEN})
# By kind; JSON takes all of them.
_OPS: dict[Kind, frozenset[Op]] = {
    Kind.TEXT: frozenset(Op),
    Kind.NUMBER: frozenset(Op) - TEXT_OPS,
    Kind.TIME: frozenset(Op) - TEXT_OPS,
    Kind.FLAG: frozenset({Op.IS, Op.IN, Op.EXISTS}),
    Kind.JSON: frozenset(Op),
}


def check_op(field: Field, op: Op) -> None:
    """Refuse what can't be said of a field."""
    allowed = _OPS[field.kind]
    if op not in allowed:
        names = ", ".join(_said(one) for one in Op if one in allowed)
        raise QueryError(f"{field} is {field.kind}: {_said(op)} is not for it; it takes {names}")


def check_count(op: Op, count: int) -> None:
    """Refuse too few and too many values."""
    least, most = {Op.EXISTS: (0, 0), Op.BETWEEN: (2, 2), Op.IN: (1, MOST_VALUES)}.get(op, (1, 1))
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise QueryError(f"{_said(op)} takes {wanted} value{'s' * (most != 1)}, not {count}")


def check_value(field: Field, op: Op, value: Value) -> None:
    """Refuse a value that is not of the field's kind, or not for what is said."""
    if isinstance(value, str):
        check_text(value)
    if op in TEXT_OPS and not isinstance(value, str):
        raise QueryError(f"{_said(op)} needs text in quotes, not {_shown(value)}")
    if op is Op.MATCHES:
        _check_pattern(str(value))
    match field.kind:
        case Kind.TIME:
            epoch_ms(value)
        case Kind.JSON if op in ORDER_OPS and isinstance(value, bool):
            raise QueryError(f"{_said(op)} compares numbers or text, not {_shown(value)}")
        case Kind.JSON:
            pass
        case kind if not _is_of(kind, value):
            hint = f', such as "{_shown(value)}"' if kind is Kind.TEXT else ""
            given = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else value
            raise QueryError(f"{field} is {kind}{hint}; {_shown(given)} is not")


def _is_of(kind: Kind, value: Value) -> bool:
    return isinstance(value, {Kind.TEXT: str, Kind.NUMBER: float, Kind.FLAG: bool}[kind])


def check_text(text: str) -> None:
    """Refuse a text that no store can hold."""
    if len(text) > MOST_TEXT_CHARS:
        raise QueryError(f"a text has at most {MOST_TEXT_CHARS} characters")
    if _UNFIT_TEXT.search(text):
        raise QueryError("a text holds neither U+0000 nor half a surrogate pair")


def _check_pattern(pattern: str) -> None:
    if len(pattern) > MOST_PATTERN_CHARS:
        raise QueryError(f"a pattern has at most {MOST_PATTERN_CHARS} characters")
    try:
        re2.compile(pattern, _REGEX)
    except re2.error as problem:
        said = problem.args[0]
        why = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise QueryError(f"{_shown(pattern)} is no regular expression of RE2: {why}") from None


def plain(value: object) -> Value:
    """Return a value as filters hold it: numbers as floats, times as ISO 8601."""
    match value:
        case bool() | str():
            return value
        case int() | float():
            return _finite(value)
        case datetime():
            return value.isoformat()
        case None:
            raise QueryError("null is no value; what is not known is said by exists, and not around it")
    raise QueryError(f"a value is text, a number, true or false, not {_shown(value)}")


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise QueryError("a number must fit in 64 bits, and be one")
    return number + 0.0  # -0.0 is 0


def epoch_ms(value: Value) -> int:
    """Return a time that is given as ISO 8601 (UTC without a zone) or epoch milliseconds.

    Raises
    ------
    QueryError
        For anything else.
    """
    found = -1
    if isinstance(value, float) and value.is_integer():
        found = int(value)
    elif isinstance(value, str):
        found = _iso_ms(value)
    if not 0 <= found <= LAST_MS:
        raise QueryError(f'a time is ISO 8601 in quotes, such as "2026-11-24T12:00Z", or epoch ms, not {_shown(value)}')
    return found


def _iso_ms(text: str) -> int:
    try:
        read = datetime.fromisoformat(text)
        return ((read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return -1


def _said(op: Op) -> str:
    return _SAID.get(op, op.replace("_", " "))


_SAID = {Op.IS: "=", Op.GREATER: ">", Op.GREATER_OR_IS: ">=", Op.LESS: "<", Op.LESS_OR_IS: "<="}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:.17g}" if isinstance(value, float) else repr(value) if not isinstance(value, str) else value
    return text if len(text) <= 60 else text[:60] + "…"
