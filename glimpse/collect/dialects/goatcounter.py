"""GoatCounter's `count.js` and its image: `/count?p=…`, https://www.goatcounter.com/help/pixel.

GoatCounter tells sites apart by the host they send to. Here `/count/<project>` names the project, or at plain `/count`
the host of the page that sends.
"""

from __future__ import annotations

from typing import Any

from glimpse.collect.answers import Answer
from glimpse.collect.dialects.bodies import (
    errors_of,
    fields_of,
    given,
    in_words_of,
    number_of,
    preferred_language,
    sending_page,
    split_address,
    status_of,
)
from glimpse.collect.dialects.dialect import Dialect, Endpoint, Outcome
from glimpse.collect.dialects.image import image_answer
from glimpse.collect.request import Request
from glimpse.events import PAGE_VIEW
from glimpse.settings import Settings
from glimpse.wire import Clock, FieldError, Reading, RejectReason, WireEvent, take_wire_event

_YES = frozenset({"true", "1", "on"})
_LEAST_BOT = 150  # what count.js finds in a browser; smaller numbers are GoatCounter's own findings
_FIELDS = {"projectId": "site", "event": "p", "context.url": "p", "context.path": "p", "context.referrer": "r"}
_MOST_SAID_CHARS = 500


def _read(request: Request, received_at: int, settings: Settings) -> Reading:
    fields = fields_of(request.query)
    if isinstance(fields, FieldError):
        return Reading(problem=fields)
    reading = Reading()
    event = _translated(fields, request, received_at)
    says_bot = (number_of(fields.get("b")) or 0) >= _LEAST_BOT
    take_wire_event(reading, 0, event, Clock(received_at), settings, len(request.query), says_bot=says_bot)
    return reading


def _translated(fields: dict[str, str], request: Request, received_at: int) -> WireEvent | list[FieldError]:
    path = fields.get("p")
    if path is None:
        return [FieldError("context.path", "context.path is required and missing", RejectReason.MISSING_FIELD)]
    page = split_address(sending_page(request))
    is_event = fields.get("e", "").lower() in _YES
    return WireEvent(
        projectId=request.names.get("project") or (page.hostname if page else None),
        event=path if is_event else PAGE_VIEW,
        timestamp=received_at,
        properties={},
        context=given(
            **(_page_of_event(request) if is_event else _page(fields, path, request)),
            referrer=fields.get("r"),
            title=fields.get("t"),
            language=preferred_language(request),
            **_screen(fields.get("s", "")),
        ),
    )


def _page(fields: dict[str, str], path: str, request: Request) -> dict[str, Any]:
    """Return where a page was seen: its path on the site that sends, with the query that campaigns are in."""
    told, sending = split_address(path), split_address(sending_page(request))
    if told is None:
        return {"path": path}
    site = told if told.netloc else sending
    query = fields.get("q", "").removeprefix("?") or told.query
    path = f"/{told.path.removeprefix('/')}"
    address = f"{path}?{query}" if query else path
    return {"url": f"{site.scheme}://{site.netloc}{address}"} if site else {"path": path, "url": address}


def _page_of_event(request: Request) -> dict[str, Any]:
    """Return where an event was, which has no path of its own; of a page on another host, only the site is told."""
    sending = split_address(sending_page(request))
    return {"url": sending_page(request)} if sending and sending.path.strip("/") else {}


def _screen(text: str) -> dict[str, Any]:
    """Return "1280,720,1", which is width, height and pixels a point, or the width alone that newer scripts send."""
    numbers = [number_of(part) for part in text.split(",")]
    if len(numbers) == 1:
        return given(screenWidth=numbers[0])
    return {"screen": given(**dict(zip(("width", "height", "pixelRatio"), numbers, strict=False)))}


def _answer(outcome: Outcome) -> Answer:
    if errors := errors_of(outcome.reading):
        said = "; ".join(message for _, message in in_words_of(_FIELDS, errors))[:_MOST_SAID_CHARS]
        return image_answer({"X-Goatcounter": f"not valid: {_as_header(said)}"}, status_of(errors))
    if outcome.dropped:
        return image_answer({"X-Goatcounter": f"ignored: {outcome.dropped[0][1]}"})
    return image_answer({})


def _as_header(text: str) -> str:
    """Return a text that any server can send in a header."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)


GOATCOUNTER = Dialect("goatcounter", _read, _answer)
ENDPOINTS = (
    Endpoint("/count", ("GET", "POST"), GOATCOUNTER),
    Endpoint("/count/{project}", ("GET", "POST"), GOATCOUNTER),
)
