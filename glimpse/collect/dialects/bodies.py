"""What browsers' trackers put into a request: JSON, or the texts of a query or a form; and how to name its faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec

from glimpse.collect.answers import is_too_large
from glimpse.collect.request import Request
from glimpse.settings import Settings
from glimpse.wire import FieldError, Reading, RejectReason, plain_body
from glimpse.wire.unreadable import UNDECODABLE, not_json

_MOST_FIELDS = 300  # a query with more is no tracker's
_LONGEST_NUMBER = 32
_LONGEST_LANGUAGE = 35  # RFC 5646, 4.4.1
_LAST_SECOND = 253_402_300_799  # the end of year 9999


def json_body(request: Request, settings: Settings) -> Any | FieldError:
    """Return the value of a JSON body, whatever its content type says, or why there is none."""
    text = plain_body(request.body, request.headers.get("Content-Encoding"), settings)
    return text if isinstance(text, FieldError) else json_of(text)


def json_items(request: Request, settings: Settings) -> list[bytes] | FieldError:
    """Return the texts in a JSON body's array, each to be read for itself, so that a bad one spoils no other."""
    text = plain_body(request.body, request.headers.get("Content-Encoding"), settings)
    if isinstance(text, FieldError):
        return text
    try:
        return [bytes(item) for item in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except UNDECODABLE as problem:
        return not_json(problem, text)


def too_many(count: int, settings: Settings) -> Reading | None:
    """Refuse a batch with more events than are allowed; None when it has not."""
    if count <= settings.max_batch_events:
        return None
    message = f"the batch has {count} events; at most {settings.max_batch_events} are allowed"
    problem = FieldError("", message, RejectReason.BATCH_TOO_LARGE)
    return Reading(problem=problem, is_batch=True, problem_count=count)


def json_of(text: bytes) -> Any | FieldError:
    """Return the value of a JSON text, or why there is none."""
    try:
        return msgspec.json.decode(text)
    except UNDECODABLE as problem:
        return not_json(problem, text)


def json_object(value: object) -> dict[str, Any]:
    """Return an object that a tracker gives as one or as its JSON text; an empty one for anything else."""
    if isinstance(value, str):
        value = json_of(value.encode("utf-8", "replace"))
    return value if isinstance(value, dict) else {}


def fields_of(query: str) -> dict[str, str] | FieldError:
    """Return the fields of a query or a form, without empty ones; of one that is there twice, the last counts."""
    try:
        return dict(parse_qsl(query.removeprefix("?"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return FieldError("", f"the query has more than {_MOST_FIELDS} fields", RejectReason.OVER_LIMIT)


def given(**values: object) -> dict[str, Any]:
    """Return the values that are there."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


def number_of(value: object) -> float | None:
    """Return a number that may be given as its text, whole where it is one; None for what is no number."""
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        value = json_of(value.encode("utf-8", "replace"))  # which knows no NaN and no infinity
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def milliseconds(seconds: Any) -> Any:
    """Return epoch milliseconds of a time in seconds; what is none stays as it is, to be refused for what it is."""
    number = number_of(seconds)
    return seconds if number is None or abs(number) > _LAST_SECOND else number * 1000


def preferred_language(request: Request) -> str | None:
    """Return the language that a browser asks for first, where its tracker doesn't tell."""
    first = (request.headers.get("Accept-Language") or "").split(",")[0].partition(";")[0].strip()
    return first if 1 < len(first) <= _LONGEST_LANGUAGE else None


def split_address(address: object) -> SplitResult | None:
    """Return a web address in its parts, None for what is none."""
    try:
        return urlsplit(address) if isinstance(address, str) else None
    except ValueError:
        return None


def sending_page(request: Request) -> str | None:
    """Return the address of the page that sends, as far as its browser tells: at least the site's."""
    referrer, origin = request.headers.get("Referer"), request.headers.get("Origin")
    return referrer or (f"{origin}/" if origin and origin != "null" else None)


def is_sent_by_page(request: Request) -> bool:
    """Tell whether a page in a browser sends, not a server: every browser names the origin of a page that posts."""
    return any(request.headers.get(name) for name in ("Origin", "Sec-Fetch-Site", "Referer"))


def errors_of(reading: Reading) -> list[FieldError]:
    """Return everything that is wrong in a request."""
    return [reading.problem] if reading.problem else [error for refused in reading.refused for error in refused.errors]


def status_of(errors: Sequence[FieldError]) -> HTTPStatus:
    """Return the status of a refusal."""
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_too_large(errors) else HTTPStatus.BAD_REQUEST


def in_words_of(names: Mapping[str, str], errors: Sequence[FieldError]) -> list[tuple[str, str]]:
    """Return path and message of each error, with a tracker's own names of the fields in place of ours."""
    return [_renamed(names.get(error.path), error) for error in errors]


def _renamed(name: str | None, error: FieldError) -> tuple[str, str]:
    return (name, error.message.replace(error.path, name, 1)) if name else (error.path, error.message)
