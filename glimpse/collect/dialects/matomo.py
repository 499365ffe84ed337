"""Matomo's Tracking HTTP API: `/matomo.php`, `/piwik.php`, https://developer.matomo.org/api-reference/tracking-api.

The site's number names the project. One hit is a query or a form; many are {"requests": ["?idsite=1&…", …]}.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from glimpse.collect.answers import Answer, encode
from glimpse.collect.dialects.bodies import (
    errors_of,
    fields_of,
    given,
    in_words_of,
    is_sent_by_page,
    json_object,
    json_of,
    milliseconds,
    number_of,
    preferred_language,
    split_address,
    status_of,
    too_many,
)
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.dialects.image import image_answer
from glimpse.collect.request import Request
from glimpse.events import HEARTBEAT, PAGE_VIEW
from glimpse.settings import Settings
from glimpse.wire import Clock, FieldError, Reading, RejectReason, WireEvent, plain_body, take_wire_event

Fields = dict[str, str]

_CONTENT = {"content": "c_n", "piece": "c_p", "target": "c_t"}
_CART = {"revenue": "revenue", "items": "ec_items"}
_ORDER = _CART | {"orderId": "ec_id", "subtotal": "ec_st", "tax": "ec_tx", "shipping": "ec_sh", "discount": "ec_dt"}
# The field that makes a hit what it is, the most particular first; its name; its properties by the fields they are in.
_KINDS: tuple[tuple[str, str | None, dict[str, str]], ...] = (
    ("ping", HEARTBEAT, {}),
    ("e_a", None, {"category": "e_c", "name": "e_n", "value": "e_v"}),  # named by its action
    ("ec_id", "order", _ORDER),
    ("ec_items", "cart_update", _CART),
    ("idgoal", "goal", {"goal": "idgoal", "revenue": "revenue"}),
    ("search", "search", {"query": "search", "category": "search_cat", "results": "search_count"}),
    ("download", "file_download", {"url": "download"}),
    ("link", "outbound_click", {"url": "link"}),
    ("c_i", "content_interaction", _CONTENT),
    ("c_n", "content_impression", _CONTENT),
)
_NUMBERS = frozenset({"e_v", "search_count", "revenue", "ec_st", "ec_tx", "ec_sh", "ec_dt"})
_DIMENSION = re.compile(r"dimension[0-9]{1,3}")
_CAMPAIGN = {"campaign": "campaign", "kwd": "term", "keyword": "term", "source": "source", "medium": "medium"}
_WORDS = {"projectId": "idsite", "event": "e_a", "timestamp": "cdt", "context.url": "url", "context.referrer": "urlref"}
_NO_ARRAY = FieldError("requests", "requests must be an array of query strings", RejectReason.WRONG_TYPE)


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    body = plain_body(request.body, request.headers.get("Content-Encoding"), settings)
    if isinstance(body, FieldError):
        return Reading(problem=body)
    if body[:64].lstrip()[:1] == b"{":
        return _read_bulk(json_of(body), request, received_at, settings)
    query = "&".join(part for part in (request.query, body.decode("utf-8", "replace").strip()) if part)
    reading = Reading()
    _take(reading, 0, fields_of(query), request, received_at, settings)
    return reading


def _read_bulk(body: Any, request: Request, received_at: int, settings: Settings) -> Reading:
    if isinstance(body, FieldError):
        return Reading(problem=body, is_batch=True)
    hits = body.get("requests")
    if not isinstance(hits, list):
        return Reading(problem=_NO_ARRAY, is_batch=True)
    if refused := too_many(len(hits), settings):
        return refused
    reading = Reading(is_batch=True)
    for index, hit in enumerate(hits):
        _take(reading, index, _fields_of_hit(hit), request, received_at, settings)
    return reading


def _fields_of_hit(hit: object) -> Fields | FieldError:
    """Return a hit's fields; some clients send an object in place of a query string."""
    if isinstance(hit, str):
        before, _, query = hit.partition("?")
        return fields_of(hit if "=" in before else query)
    if isinstance(hit, dict):
        return {name: str(value) for name, value in hit.items() if isinstance(value, str | int | float)}
    return _NO_ARRAY


def _take(
    reading: Reading, index: int, fields: Fields | FieldError, request: Request, received_at: int, settings: Settings
) -> None:
    clock = Clock(received_at)
    if isinstance(fields, FieldError):
        take_wire_event(reading, index, [fields], clock, settings)
        return
    event = _translated(fields, received_at)
    facts: dict[str, Any] = {"person": fields.get("cid") or fields.get("_id") or fields.get("uid")}
    if "cip" in fields and not is_sent_by_page(request):  # a server names the visitor, and with "ua" the browser
        facts |= {"by_server": True, "address": fields["cip"]}
        if isinstance(event, WireEvent) and event.context is not None:
            event.context.setdefault("userAgent", request.headers.get("User-Agent") or "")
    elif isinstance(event, WireEvent) and event.context is not None:
        event.context.update(given(language=fields.get("lang") or preferred_language(request)))
    take_wire_event(reading, index, event, clock, settings, sum(map(len, fields.values())), **facts)


def _translated(fields: Fields, received_at: int) -> WireEvent | list[FieldError]:
    if fields.get("rec") != "1":
        return [FieldError("rec", "rec must be 1, else nothing is recorded", RejectReason.MISSING_FIELD)]
    name, properties = _kind_of(fields)
    dimensions = {key: text for key, text in fields.items() if _DIMENSION.fullmatch(key)}
    return WireEvent(
        projectId=fields.get("idsite"),
        event=name,
        timestamp=_time(fields, received_at),
        properties=properties | dimensions | _variables(fields),
        context=_context(fields),
        userId=fields.get("uid"),
        anonymousId=fields.get("_id"),
    )


def _kind_of(fields: Fields) -> tuple[str, dict[str, Any]]:
    for told_by, name, properties in _KINDS:
        if told_by in fields:
            values = {key: _value(field, fields.get(field)) for key, field in properties.items()}
            return name or fields[told_by], given(**values)
    return PAGE_VIEW, {}


def _value(field: str, text: str | None) -> float | str | None:
    number = number_of(text) if field in _NUMBERS else None
    return text if number is None else number


def _variables(fields: Fields) -> dict[str, Any]:
    """Return custom variables, {"1": ["name", "value"]}, by their names."""
    pairs = [pair for pair in json_object(fields.get("cvar")).values() if isinstance(pair, list) and len(pair) == 2]
    return {name: value for name, value in pairs if isinstance(name, str)}


def _context(fields: Fields) -> dict[str, Any]:
    return given(
        url=fields.get("url"),
        referrer=fields.get("urlref"),
        title=fields.get("action_name"),
        screen=fields.get("res"),
        language=fields.get("lang"),
        userAgent=fields.get("ua"),
        pageId=fields.get("pv_id"),
        utm=_campaign(fields),
    )


def _campaign(fields: Fields) -> dict[str, str] | None:
    """Return the campaign that Matomo's own tags tell of: in the address (mtm_, pk_) or beside it (_rcn, _rck).

    Its script takes utm_source for a campaign's name; where there are such tags, they speak for themselves.
    """
    parts = split_address(fields.get("url"))
    tags = fields_of(parts.query) if parts else {}
    if isinstance(tags, FieldError) or any(name.startswith("utm_") for name in tags):
        return None
    found = {word: text for name, text in tags.items() if (word := _tag(name))}
    return (given(campaign=fields.get("_rcn"), term=fields.get("_rck")) | found) or None


def _tag(name: str) -> str | None:
    prefix, _, word = name.partition("_")
    return _CAMPAIGN.get(word) if prefix in ("mtm", "pk", "piwik", "matomo") else None


def _time(fields: Fields, received_at: int) -> Any:
    """Return when it happened: "cdt" is UTC, as a date or in seconds; "cdo" is how many seconds ago."""
    if "cdt" in fields:
        return milliseconds(fields["cdt"])
    ago = milliseconds(fields.get("cdo"))
    return received_at - ago if isinstance(ago, int | float) and ago > 0 else received_at


def _answer(outcome: Outcome) -> Answer:
    errors = errors_of(outcome.reading)
    if outcome.reading.problem or (errors and not outcome.reading.is_batch):
        body = {"status": "error", "tracked": 0, "invalid": len(outcome.reading.refused), "message": _said(errors)}
        return Answer(status_of(errors), encode(body))
    if outcome.reading.is_batch:
        return Answer(HTTPStatus.OK, encode(_tally(outcome.reading)))
    return Answer(HTTPStatus.NO_CONTENT, b"") if _wants_no_image(outcome.request) else image_answer({})


def _tally(reading: Reading) -> dict[str, Any]:
    invalid = [refused.index for refused in reading.refused]
    tally = {"status": "success", "tracked": len(reading.events), "invalid": len(invalid)}
    return tally | {"invalid_indices": invalid, "message": _said(errors_of(reading))} if invalid else tally


def _said(errors: list[FieldError]) -> str:
    return "; ".join(message for _, message in in_words_of(_WORDS, errors)[:10])


def _wants_no_image(request: Request) -> bool:
    return "&send_image=0&" in f"&{request.query}&{request.body.decode('utf-8', 'replace')}&"


MATOMO = Dialect("matomo", _read, _answer)
ENDPOINTS = (
    Endpoint("/matomo.php", ("GET", "POST"), MATOMO),
    Endpoint("/piwik.php", ("GET", "POST"), MATOMO),
)
