"""Segment and RudderStack: `/v1/track` and the like, `/v1/batch`, and the settings that their browser clients ask for.

Source: Segment's HTTP Tracking API and RudderStack's HTTP API. The write key names the project.
"""

from __future__ import annotations

from http import HTTPStatus

from glimpse.collect.answers import Answer, encode, is_too_large
from glimpse.collect.dialects.bodies import is_sent_by_page
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.dialects.items import Item, identifier, moment, take_apart
from glimpse.collect.dialects.segment_message import Message, translate
from glimpse.collect.dialects.segment_replies import rudder_settings, segment_settings, take_own_figures, write_key
from glimpse.collect.request import Request
from glimpse.settings import Settings
from glimpse.wire import Clock, FieldError, Reading, RejectReason, parse_time, plain_body, take_wire_event

_SUCCESS = b'{"success":true}'
_NO_KEY = FieldError(
    "writeKey", "a write key is required, as user of Basic auth or as writeKey in the body", RejectReason.MISSING_FIELD
)
# As analytics-next shortens them.
KINDS_BY_PATH = {
    **dict.fromkeys(("track", "t"), "track"),
    **dict.fromkeys(("page", "p"), "page"),
    **dict.fromkeys(("screen", "s"), "screen"),
    **dict.fromkeys(("identify", "i"), "identify"),
    **dict.fromkeys(("group", "g"), "group"),
    **dict.fromkeys(("alias", "a"), "alias"),
}
_BATCHES = ("batch", "b", "import")


class _SegmentReading(Reading):
    is_rudder: bool = False  # RudderStack's servers answer with another word


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    plain = plain_body(request.body, request.headers.get("Content-Encoding"), settings)
    body = plain if isinstance(plain, FieldError) else take_apart(plain, settings)
    if isinstance(body, FieldError):
        return Reading(problem=body)
    project = write_key(request) or identifier(body.fields, "writeKey")
    if project is None:
        return Reading(problem=_NO_KEY, is_batch=body.is_batch, problem_count=max(1, len(body.items)))
    kind = None if body.is_batch else KINDS_BY_PATH.get(request.path.rstrip("/").rpartition("/")[2])
    reading = _SegmentReading(is_batch=body.is_batch)
    for item in body.items:
        message = translate(item.fields, kind, project) if isinstance(item.fields, dict) else item.fields
        if isinstance(message, Message):
            reading.is_rudder = reading.is_rudder or message.channel is not None
            sent_at = moment(body.fields, "sentAt") or message.sent_at
            _take(item, message, sent_at, request, reading, received_at, settings)
        else:
            take_wire_event(reading, item.place, message, Clock(received_at), settings)
    return reading


def _take(
    item: Item,
    message: Message,
    sent_at: float | str | None,
    request: Request,
    reading: Reading,
    received_at: int,
    settings: Settings,
) -> None:
    event = message.event
    if event.timestamp is None:
        event.timestamp = sent_at or received_at
    is_image = request.method == "GET"
    by_server = not (is_image or is_sent_by_page(request) or message.is_from_device())
    take_wire_event(
        reading,
        item.place,
        event,
        Clock.of_body(received_at, parse_time(sent_at), deferred=False),
        settings,
        size=item.size,
        person=message.person,
        by_server=by_server,
        address=message.address if by_server else None,
    )


def _answer(outcome: Outcome) -> Answer:
    reading = outcome.reading
    if reading.problem:
        return _refusal(reading.problem)
    if reading.refused and not reading.events:
        return _refusal(reading.refused[0].errors[0])
    if isinstance(reading, _SegmentReading) and reading.is_rudder:
        return Answer(HTTPStatus.OK, b"OK", content_type="text/plain; charset=utf-8")
    return Answer(HTTPStatus.OK, _SUCCESS)


def _refusal(problem: FieldError) -> Answer:
    is_large = is_too_large([problem])
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_large else HTTPStatus.BAD_REQUEST
    code = "payload_too_large" if is_large else "invalid_request"
    return Answer(status, encode({"success": False, "code": code, "message": problem.message}))


SEGMENT = Dialect("segment", _read, _answer)
ENDPOINTS = (
    *(Endpoint(f"/v1/{name}", ("POST",), SEGMENT) for name in (*KINDS_BY_PATH, *_BATCHES)),
    Endpoint("/v1/m", ("POST",), reply=take_own_figures),
    Endpoint("/v1/projects/{key}/settings", ("GET",), reply=segment_settings),
    Endpoint("/sourceConfig", ("GET",), reply=rudder_settings),
)
