"""Segment's calls as an image, for mails and pages without JavaScript: `GET /v1/pixel/track?data=…` and the like.

Source: Segment's Pixel Tracking API. The image comes whatever is wrong with a call.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from glimpse.collect.answers import Answer, encode
from glimpse.collect.dialects.bodies import fields_of
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.dialects.image import image_answer
from glimpse.collect.dialects.segment import KINDS_BY_PATH, SEGMENT
from glimpse.collect.request import Request
from glimpse.settings import Settings
from glimpse.wire import FieldError, Reading, RejectReason


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    fields = fields_of(request.query)
    body = fields if isinstance(fields, FieldError) else _call(fields)
    if isinstance(body, FieldError):
        return Reading(problem=body)
    return SEGMENT.read(msgspec.structs.replace(request, body=body), received_at, settings)


def _call(fields: dict[str, str]) -> bytes | FieldError:
    """Return the call as JSON; in the address it is base64, its padding cut off or not, or a field for each value."""
    data = fields.get("data")
    if data is None:
        return encode(_nested(fields))
    try:
        return base64.b64decode(data.replace(" ", "+").rstrip("=") + "==", altchars=None)
    except ValueError as problem:
        return FieldError("data", f"data must be base64 of a call's JSON: {problem}", RejectReason.NOT_JSON)


def _nested(fields: dict[str, str]) -> dict[str, Any]:
    """Return fields with an object for names with a dot: `properties.subject=…`."""
    call: dict[str, Any] = {}
    for name, value in fields.items():
        outer, _, inner = name.partition(".")
        if not inner:
            call[name] = value
        elif isinstance(part := call.setdefault(outer, {}), dict):
            part[inner] = value
    return call


def _answer(_outcome: Outcome) -> Answer:
    return image_answer({})


PIXEL = Dialect("segment pixel", _read, _answer)
ENDPOINTS = tuple(Endpoint(f"/v1/pixel/{kind}", ("GET",), PIXEL) for kind in dict.fromkeys(KINDS_BY_PATH.values()))
