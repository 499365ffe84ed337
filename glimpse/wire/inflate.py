"""A body's bytes as they were before compression, with a limit on what they may become; and as JSON can be read."""

from __future__ import annotations

import re
import zlib

from glimpse.settings import Settings
from glimpse.wire.errors import FieldError, RejectReason, shown

_BOM = b"\xef\xbb\xbf"
_GZIP = 16 + zlib.MAX_WBITS
# An escape that is half a character: a client has cut a text within an emoji. A pair is passed over as it is, and a
# backslash that is escaped itself begins no escape.
_HALF = re.compile(
    rb"(?<!\\)((?:\\\\)*+)\\u(?:[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|([dD][89a-fA-F][0-9a-fA-F]{2}))"
)
_REPLACEMENT = rb"\ufffd"


def plain_body(body: bytes, encoding: str | None, settings: Settings) -> bytes | FieldError:
    """Return the text's bytes, or why there is none.

    They come without compression and byte order mark, and with U+FFFD for halves of characters, which JSON can say and
    UTF-8 can't.
    """
    if len(body) > settings.max_body_bytes:
        return body_too_large(len(body), settings)
    named = encoding.strip().lower() if encoding else ""
    if named in ("gzip", "x-gzip"):
        inflated = _inflate(body, settings.max_inflated_bytes)
    elif named in ("identity", ""):
        inflated = body
    else:
        return FieldError("", f"Content-Encoding must be gzip or none; it is {shown(named)}", RejectReason.BAD_VALUE)
    return _whole_characters(inflated.removeprefix(_BOM)) if isinstance(inflated, bytes) else inflated


def _whole_characters(text: bytes) -> bytes:
    if b"\\" not in text or (b"\\ud" not in text and b"\\uD" not in text):
        return text
    return _HALF.sub(lambda found: found[1] + _REPLACEMENT if found[2] else found[0], text)


def body_too_large(size: int, settings: Settings) -> FieldError:
    """Say that a body is too large on the wire."""
    message = f"the body has {size} bytes; at most {settings.max_body_bytes} are allowed"
    return FieldError("", message, RejectReason.BODY_TOO_LARGE)


def _inflate(body: bytes, most: int) -> bytes | FieldError:
    unzip = zlib.decompressobj(_GZIP)
    try:
        text = unzip.decompress(body, most + 1)
    except zlib.error as problem:
        return FieldError("", f"the body is not gzip, as Content-Encoding says: {problem}", RejectReason.NOT_JSON)
    if len(text) > most:
        message = f"the body has more than {most} bytes when inflated; at most {most} are allowed"
        return FieldError("", message, RejectReason.BODY_TOO_LARGE)
    if not unzip.eof or unzip.unused_data:
        return FieldError("", "the gzip body is cut off, or more follows its end", RejectReason.NOT_JSON)
    return text
