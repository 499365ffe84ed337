"""Why text could not be read as JSON, in words that its sender can act on; only ever asked after a decoder refused.

The decoder names a byte. What mostly stands there has a name of its own: NaN, another encoding, a number too large.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from glimpse.wire.errors import FieldError, RejectReason

# ValueError is what the decoder raised for text that is not UTF-8 before msgspec 0.23; its DecodeError is one as well.
UNDECODABLE = (ValueError, RecursionError)

_untyped = msgspec.json.Decoder()
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])

_AT_BYTE = re.compile(r"\(byte (\d+)\)")
_NO_NUMBER = re.compile(rb"-?(?:NaN|Infinity)")
_MOST_LEVELS = 16  # that the search for a number goes down
_MOST_SHOWN_BYTES = 40
_WHOLE = "a whole number must be from -2^63 to 2^64-1"
_WITH_FRACTION = "a number must be from -1.8e308 to 1.8e308"

Text = bytes | memoryview | msgspec.Raw


def not_json(problem: Exception, text: bytes | memoryview) -> FieldError:
    """Say why text is no JSON.

    Parameters
    ----------
    problem
        What the decoder raised for it.
    """
    return FieldError("", f"the body must be JSON in UTF-8: {_why(problem, bytes(text))}", RejectReason.NOT_JSON)


def _why(problem: Exception, text: bytes) -> str:
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    if not text or text.isspace():
        return "it is empty"
    if encoded := _otherwise_encoded(problem, text):
        return encoded
    found = _AT_BYTE.search(str(problem))
    at = int(found[1]) if found else 0
    if found and (literal := _NO_NUMBER.match(text, at - 1) or _NO_NUMBER.match(text, at)):  # a sign may stand before
        return f"JSON has no {literal[0].decode()} {found[0]}"
    return str(problem)[:200]


def _otherwise_encoded(problem: Exception, text: bytes) -> str | None:
    """Say what text is instead of UTF-8, or which byte is none: not every version of the decoder names it."""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text[:2]:
        return "it looks like UTF-16 or UTF-32"
    if text.startswith(b"\x1f\x8b"):
        return "it looks like gzip, which Content-Encoding has to say"
    if "utf-8" in str(problem).lower():
        try:
            text.decode()
        except UnicodeDecodeError as where:
            return str(where)
    return None


def out_of_range(text: bytes | memoryview) -> FieldError | None:
    """Name the number that the decoder can't hold; None when there is none within reach."""
    path, part = "", text
    for _ in range(_MOST_LEVELS):
        inner = next(((step, raw) for step, raw in _parts(part) if not _is_readable(raw)), None)
        if inner is None:
            break
        path, part = f"{path}{inner[0]}", memoryview(inner[1])
    number = bytes(part[: _MOST_SHOWN_BYTES + 1]).decode(errors="replace")
    if not path or not number.lstrip("-")[:1].isdigit():
        return None
    allowed = _WITH_FRACTION if re.search("[.eE]", number) else _WHOLE
    seen = number if len(number) <= _MOST_SHOWN_BYTES else f"{number[:_MOST_SHOWN_BYTES]}…"
    path = path.removeprefix(".")
    return FieldError(path, f"{path} is {seen}; {allowed}", RejectReason.OVER_LIMIT)


def _parts(text: Text) -> Iterable[tuple[str, msgspec.Raw]]:
    """Return what an object or array holds, each with the step of the path that leads there."""
    try:
        return [(f".{name}", value) for name, value in _fields.decode(text).items()]
    except UNDECODABLE:
        pass
    try:
        return [(f"[{index}]", value) for index, value in enumerate(_items.decode(text))]
    except UNDECODABLE:
        return ()


def _is_readable(text: Text) -> bool:
    try:
        _untyped.decode(text)
    except UNDECODABLE:
        return False
    return True
