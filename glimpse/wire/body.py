"""A request's body as events: one object, an array, or an envelope around an array.

A mixed batch keeps its good events. Each event of a batch is decoded for itself, so that one can't spoil the others.
"""

from __future__ import annotations

import contextlib
from typing import TypeGuard

import msgspec

from glimpse.events import ClaimedEvent
from glimpse.settings import Settings
from glimpse.wire.claim import KNOWN_FIELDS, WireEvent, WithinLimits, claim, explain_types, is_project, of_wrong_type
from glimpse.wire.errors import FieldError, RejectReason, json_type, shown
from glimpse.wire.inflate import plain_body
from glimpse.wire.times import Clock, parse_time
from glimpse.wire.unreadable import UNDECODABLE, not_json, out_of_range
from glimpse.wire.usual import claim_usual, is_usual
from glimpse.wire.within_limits import look


class _KnownFields(WireEvent, forbid_unknown_fields=True):
    pass


_lenient, _strict = msgspec.json.Decoder(WireEvent), msgspec.json.Decoder(_KnownFields)
_untyped = msgspec.json.Decoder()
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
# The last of two counts, and a decoder with types sees the first as well.
_TWICE = FieldError("", "a field is there twice, first with a value of another type", RejectReason.WRONG_TYPE)


class Refused(msgspec.Struct, frozen=True, gc=False):
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


class _Mistaken(msgspec.Struct, gc=False):
    """What can't be decoded as an event: why not, and whose it says that it is."""

    errors: list[FieldError]
    project: object = None


class _Defaults(msgspec.Struct, frozen=True):
    """What an envelope says for all of its events."""

    clock: Clock
    project: str | None = None
    deferred: bool = False


def read_events(
    body: bytes,
    encoding: str | None,
    received_at: int,
    settings: Settings,
    looked: WithinLimits | Exception | None = None,
) -> Reading:
    """Return the events of a body and everything that is wrong with it; never raises for what a client sent.

    Parameters
    ----------
    body
        As it came: JSON in UTF-8, perhaps compressed.
    encoding
        The request's `Content-Encoding`.
    received_at
        Epoch ms; the limits on an event's time count from it.
    looked
        What `first_look` returned for it, where that was asked before.
    """
    text = plain_body(body, encoding, settings)
    if isinstance(text, FieldError):
        return Reading(problem=text)
    if text[:1] != b"{" and text.lstrip()[:1] == b"[":
        return _read_array(text, received_at, settings)
    return _read_object(text, received_at, settings, looked if text is body else None)


def _read_array(text: bytes, received_at: int, settings: Settings) -> Reading:
    try:
        items = _items.decode(text)
    except UNDECODABLE as problem:
        return Reading(problem=not_json(problem, text), is_batch=True)
    return _read_items(items, _Defaults(Clock(received_at)), Reading(is_batch=True), settings)


def read_looked(event: WithinLimits, received_at: int, settings: Settings) -> Reading | None:
    """Return what `first_look` found, which is no usual event, in a few steps; None when it takes more of them."""
    if event.events is not None or event.sentAt is not None:
        return None
    outcome = claim(event, None, Clock(received_at), settings)
    if isinstance(outcome, ClaimedEvent):
        return Reading([(0, outcome)])
    return Reading([], [Refused(0, _owner(event.projectId, None), outcome)])


def _read_object(text: bytes, received_at: int, settings: Settings, looked: WithinLimits | Exception | None) -> Reading:
    reading = Reading()
    decoded = _decode(text, reading, settings, looked)
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
        looked, raw = look(item, settings), memoryview(item)
        if _is_usual(looked, len(raw), defaults, settings):  # as nearly all are
            reading.events.append((index, claim_usual(looked)))
        else:
            _take(index, raw, _decode(raw, reading, settings, looked), defaults, reading, settings)
    return reading


def _take(
    index: int,
    text: bytes | memoryview,
    decoded: WireEvent | _Mistaken,
    defaults: _Defaults,
    reading: Reading,
    settings: Settings,
) -> None:
    """Put one decoded event among the good or the refused."""
    if _is_usual(decoded, len(text), defaults, settings):
        reading.events.append((index, claim_usual(decoded)))
        return
    outcome = _judge(len(text), decoded, defaults, settings)
    if isinstance(outcome, ClaimedEvent):
        reading.events.append((index, outcome))
    else:
        owner = _owner(decoded.projectId if isinstance(decoded, WireEvent) else decoded.project, defaults.project)
        reading.refused.append(Refused(index, owner, outcome))


def _is_usual(
    decoded: WireEvent | _Mistaken | Exception, size: int, defaults: _Defaults, settings: Settings
) -> TypeGuard[WithinLimits]:
    if not isinstance(decoded, WithinLimits) or size > settings.max_event_bytes or defaults.clock.skew_ms:
        return False
    if decoded.projectId is None:
        decoded.projectId = defaults.project
    return is_usual(decoded, defaults.clock.received_at, settings)


def _judge(
    size: int,
    decoded: WireEvent | _Mistaken,
    defaults: _Defaults,
    settings: Settings,
) -> ClaimedEvent | list[FieldError]:
    if isinstance(decoded, _Mistaken) and decoded.errors[0].reason is RejectReason.NOT_JSON:
        return decoded.errors  # how long it is does not matter then
    if size > settings.max_event_bytes:
        message = f"the event has {size} bytes; at most {settings.max_event_bytes} are allowed"
        return [FieldError("", message, RejectReason.OVER_LIMIT)]
    if isinstance(decoded, _Mistaken):
        return decoded.errors
    if decoded.events is not None:  # they would be lost unseen
        message = "an event of a batch can't hold events of its own"
        return [FieldError("events", message, RejectReason.WRONG_TYPE)]
    clock = defaults.clock
    if decoded.sentAt is not None:
        sent_at, deferred = parse_time(decoded.sentAt), bool(decoded.deferred) or defaults.deferred
        if sent_at is None:
            return [_bad_sent_at(decoded)]
        clock = Clock.of_body(clock.received_at, sent_at, deferred=deferred)
    return claim(decoded, defaults.project, clock, settings)


def _decode(
    text: bytes | memoryview, reading: Reading, settings: Settings, looked: WithinLimits | Exception | None = None
) -> WireEvent | _Mistaken:
    """Return one object with its types checked, or what is wrong with its fields."""
    looked = looked or look(text, settings)
    if isinstance(looked, WireEvent):
        return looked
    if not isinstance(looked, msgspec.ValidationError):
        return _Mistaken([not_json(looked, text)])
    if str(looked).endswith(
        "]`"
    ):  # something within a field; mostly a size, and all fields are known and of their types
        with contextlib.suppress(*UNDECODABLE):
            return _strict.decode(text)
    # Unknown fields, which are ignored, or something to look at closely.
    try:
        fields = _fields.decode(text)
        reading.unknown_fields += len(fields.keys() - KNOWN_FIELDS)
        wrong = of_wrong_type(fields)
        if not wrong:
            return _lenient.decode(text)
        project = _untyped.decode(fields["projectId"]) if "projectId" in fields else None
        return _Mistaken(explain_types({name: _untyped.decode(fields[name]) for name in wrong}), project)
    except UNDECODABLE:
        return _Mistaken(_explain(text))


def _explain(text: bytes | memoryview) -> list[FieldError]:
    """Say what is wrong with a text that is no object, or has a number in it that nothing here can hold."""
    try:
        fields = _untyped.decode(text)
    except msgspec.ValidationError as problem:
        return [out_of_range(text) or not_json(problem, text)]
    except UNDECODABLE as problem:
        return [not_json(problem, text)]
    if isinstance(fields, dict):
        return [_TWICE]
    message = f"an event must be an object; it is {json_type(fields)}: {shown(fields)}"
    return [FieldError("", message, RejectReason.WRONG_TYPE)]


def _owner(claimed: object, default: str | None) -> str:
    """Return whose a refused event is, so that the books have it there; '' when that can't be said."""
    owner = default if claimed is None else claimed
    return owner if isinstance(owner, str) and is_project(owner) else ""


def _bad_sent_at(sender: WireEvent) -> FieldError:
    message = f"sentAt must be epoch milliseconds or ISO 8601; it is {shown(sender.sentAt)}"
    return FieldError("sentAt", message, RejectReason.BAD_VALUE)
