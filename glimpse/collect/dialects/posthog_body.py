"""What PostHog's clients wrap their JSON in: gzip that no header tells of, base64, a form.

Source: PostHog's capture API and what posthog-js sends: `compression=gzip-js` is raw gzip as text/plain, `base64` a
form with one field, `data`; a beacon at the end of a page can send nothing else.
"""

from __future__ import annotations

import base64
from urllib.parse import unquote_plus

from glimpse.collect.request import Request
from glimpse.settings import Settings
from glimpse.wire import FieldError, RejectReason, plain_body

_GZIP_START = b"\x1f\x8b"
_FORM_START = b"data="


def unwrapped(request: Request, settings: Settings) -> bytes | FieldError:
    """Return a body's JSON text, or why there is none."""
    body = plain_body(request.body, request.headers.get("Content-Encoding"), settings)
    if isinstance(body, FieldError):
        return body
    if body.startswith(_FORM_START):
        body = _form_data(body)
        if isinstance(body, FieldError):
            return body
        return plain_body(body, "gzip" if body.startswith(_GZIP_START) else None, settings)
    return plain_body(body, "gzip", settings) if body.startswith(_GZIP_START) else body


def _form_data(body: bytes) -> bytes | FieldError:
    """Return the field `data`, which is JSON or base64 of JSON or of gzip."""
    data = unquote_plus(body.removeprefix(_FORM_START).partition(b"&")[0].decode(errors="replace"))
    if data.lstrip().startswith(("{", "[")):
        return data.encode()
    try:
        # Clients that don't escape it have their "+" read as a space.
        return base64.b64decode(data.strip().replace(" ", "+"), validate=True)
    except ValueError as problem:
        return FieldError("data", f"data must be JSON, or base64 of it: {problem}", RejectReason.NOT_JSON)
