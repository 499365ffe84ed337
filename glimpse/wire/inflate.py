"""A body's bytes as they were before compression, with a limit on what they may become."""

from __future__ import annotations

import zlib

from glimpse.settings import Settings
from glimpse.wire.errors import FieldError, RejectReason, shown

_BOM = b"\xef\xbb\xbf"
_GZIP = 16 + zlib.MAX_WBITS


def plain_body(body: bytes, encoding: str | None, settings: Settings) -> bytes | FieldError:
    """Return the text's bytes, without compression and byte order mark, or why there is none."""
    if len(body) > settings.max_body_bytes:
        return body_too_large(len(body), settings)
    named = (encoding or "identity").strip().lower()
    if named in ("gzip", "x-gzip"):
        inflated = _inflate(body, settings.max_inflated_bytes)
    elif named in ("identity", ""):
        inflated = body
    else:
        return FieldError("", f"Content-Encoding must be gzip or none; it is {shown(named)}", RejectReason.BAD_VALUE)
    return inflated.removeprefix(_BOM) if isinstance(inflated, bytes) else inflated


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
        return FieldError("", "the gzip body is cut off or followed by other bytes", RejectReason.NOT_JSON)
    return text
