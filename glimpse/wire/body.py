"""A request's body as events: one object, an array, or an envelope around an array.

A mixed batch keeps its good events. Each event of a batch is decoded for itself, so that one can't spoil the others.
"""

from __future__ import annotations

import msgspec

from glimpse.events import ClaimedEvent
from glimpse.settings import Settings
from glimpse.wire.claim import KNOWN_FIELDS, StrictWireEvent, WireEvent, claim, explain_types, is_project
from glimpse.wire.errors import FieldError, RejectReason, json_type, shown
from glimpse.wire.inflate import plain_body
from glimpse.wire.times import Clock, parse_time

# ValueError is what the decoder raises for text that is not UTF-8; its DecodeError is one as well.
UNDECODABLE = (ValueError, RecursionError)

_strict = msgspec.json.Decoder(StrictWireEvent)
_lenient = msgspec.json.Decoder(WireEvent)
_keys = msgspec.json.Decoder(dict[str, msgspec.Raw])
_untyped = msgspec.json.Decoder()
_items = msgspec.json.Decoder(list[msgspec.Raw])


class Refused(msgspec.Struct, frozen=True):
    """One event that can't be kept: its place in the batch, whose it is as far as is known, and why."""

    index: int
    project: str
    errors: list[FieldError]


class Reading(msgspec.Struct):
    """What one body held."""

    events: list[tuple[int, ClaimedEvent]] = []  # with the place in the batch
    refused: list[Refused] = []
    is_batch: bool = False
    unknown_fields: int = 0  # top-level keys without a meaning, over all events
    problem: FieldError | None = None  # the whole body can't be taken
    problem_project: str = ""
    problem_count: int = 1  # how many events that concerns


class _Defaults(msgspec.Struct, frozen=True):
    """What an envelope says for all of its events."""

    clock: Clock
    project: str | None = None
    deferred: bool = False


def read_events(body: bytes, encoding: str | None, received_at: int, settings: Settings) -> Reading:
    """Return the events of a body and everything that is wrong with it; never raises for what a client sent.

    Parameters
    ----------
    body
        As it came: JSON in UTF-8, perhaps compressed.
    encoding
        The request's `Content-Encoding`.
    received_at
        Epoch ms; the limits on an event's time count from it.
    """
    text = plain_body(body, encoding, settings)
    if isinstance(text, FieldError):
        return Reading(problem=text)
    start = text[:64].lstrip()[:1] or text.lstrip()[:1]
    if start == b"[":
        return _read_array(text, received_at, settings)
    return _read_object(text, received_at, settings)


def _read_array(text: bytes, received_at: int, settings: Settings) -> Reading:
    try:
        items = _items.decode(text)
    except UNDECODABLE as problem:
        return Reading(problem=_not_json(problem), is_batch=True)
    return _read_items(items, _Defaults(Clock(received_at)), Reading(is_batch=True), settings)


def _read_object(text: bytes, received_at: int, settings: Settings) -> Reading:
    reading = Reading()
    decoded = _decode(text, reading)
    if isinstance(decoded, WireEvent) and decoded.events is not None:
        return _read_envelope(decoded, decoded.events, reading, received_at, settings)
    _take(0, text, decoded, _Defaults(Clock(received_at)), reading, settings)
    return reading


def _read_envelope(
    envelope: WireEvent,
    items: list[msgspec.Raw],
    reading: Reading,
    received_at: int,
    settings: Settings,
) -> Reading:
    reading.is_batch = True
    sent_at, deferred, project = parse_time(envelope.sentAt), bool(envelope.deferred), envelope.projectId
    reading.problem_project = project if project and is_project(project) else ""
    if envelope.sentAt is not None and sent_at is None:
        reading.problem, reading.problem_count = _bad_sent_at(envelope), max(1, len(items))
        return reading
    defaults = _Defaults(Clock.of_body(received_at, sent_at, deferred=deferred), project, deferred)
    return _read_items(items, defaults, reading, settings)


def _read_items(items: list[msgspec.Raw], defaults: _Defaults, reading: Reading, settings: Settings) -> Reading:
    if len(items) > settings.max_batch_events:
        message = f"the batch has {len(items)} events; at most {settings.max_batch_events} are allowed"
        reading.problem = FieldError("events", message, RejectReason.BATCH_TOO_LARGE)
        reading.problem_count = len(items)
        return reading
    for index, item in enumerate(items):
        raw = memoryview(item)
        _take(index, raw, _decode(raw, reading), defaults, reading, settings)
    return reading


def _take(
    index: int,
    text: bytes | memoryview,
    decoded: WireEvent | list[FieldError],
    defaults: _Defaults,
    reading: Reading,
    settings: Settings,
) -> None:
    """Put one decoded event among the good or the refused."""
    outcome = _judge(len(text), decoded, defaults, settings)
    if isinstance(outcome, ClaimedEvent):
        reading.events.append((index, outcome))
    else:
        reading.refused.append(Refused(index, _owner(text, decoded, defaults.project), outcome))


def _judge(
    size: int,
    decoded: WireEvent | list[FieldError],
    defaults: _Defaults,
    settings: Settings,
) -> ClaimedEvent | list[FieldError]:
    if size > settings.max_event_bytes:
        message = f"the event has {size} bytes; at most {settings.max_event_bytes} are allowed"
        return [FieldError("", message, RejectReason.OVER_LIMIT)]
    if not isinstance(decoded, WireEvent):
        return decoded
    clock = defaults.clock
    if decoded.sentAt is not None:
        sent_at, deferred = parse_time(decoded.sentAt), bool(decoded.deferred) or defaults.deferred
        if sent_at is None:
            return [_bad_sent_at(decoded)]
        clock = Clock.of_body(clock.received_at, sent_at, deferred=deferred)
    return claim(decoded, defaults.project, clock, settings)


def _decode(text: bytes | memoryview, reading: Reading) -> WireEvent | list[FieldError]:
    """Return one object with its types checked, or what is wrong with its fields."""
    try:
        return _strict.decode(text)
    except UNDECODABLE:
        pass  # unknown fields, which are ignored, or something to explain
    try:
        keys = _keys.decode(text).keys()
        reading.unknown_fields += len(keys - KNOWN_FIELDS)
        return _lenient.decode(text)
    except UNDECODABLE:
        return _explain(text)


def _explain(text: bytes | memoryview) -> list[FieldError]:
    try:
        fields = _untyped.decode(text)
    except UNDECODABLE as problem:
        return [_not_json(problem)]
    if not isinstance(fields, dict):
        message = f"an event must be an object; it is {json_type(fields)}: {shown(fields)}"
        return [FieldError("", message, RejectReason.WRONG_TYPE)]
    return explain_types(fields)


def _owner(text: bytes | memoryview, decoded: object, default: str | None) -> str:
    """Return whose a refused event is, so that the books have it there; '' when that can't be said."""
    claimed = decoded.projectId if isinstance(decoded, WireEvent) else _project_in(text)
    owner = default if claimed is None else claimed
    return owner if isinstance(owner, str) and is_project(owner) else ""


def _project_in(text: bytes | memoryview) -> object:
    try:
        fields = _untyped.decode(text)
    except UNDECODABLE:
        return None
    return fields.get("projectId") if isinstance(fields, dict) else None


def _not_json(problem: Exception) -> FieldError:
    reason = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)[:200]
    return FieldError("", f"the body must be JSON in UTF-8: {reason}", RejectReason.NOT_JSON)


def _bad_sent_at(sender: WireEvent) -> FieldError:
    message = f"sentAt must be epoch milliseconds or ISO 8601; it is {shown(sender.sentAt)}"
    return FieldError("sentAt", message, RejectReason.BAD_VALUE)
