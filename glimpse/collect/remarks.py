"""What Glimpse adds to the answer of any dialect: why an event was dropped, where it went, whose pages may send."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from glimpse.collect.answers import Answer, Dropped
from glimpse.wire import Reading, RejectReason


def with_remarks(answer: Answer, reading: Reading, dropped: Dropped, layer: str) -> Answer:
    """Return an answer with what its dialect has no words for; in nearly all cases, as it is."""
    if not (dropped or layer or reading.refused):
        return answer
    headers = dict(answer.headers)
    if dropped and len(dropped) == len(reading.events):  # nothing was kept: clients that look at no body can tell
        headers["X-Glimpse-Dropped"] = str(dropped[0][1])
    if layer:
        headers["X-Glimpse-Layer"] = layer
    status = HTTPStatus.FORBIDDEN if _is_all_foreign(reading) else answer.status
    return msgspec.structs.replace(answer, status=status, headers=headers)


def _is_all_foreign(reading: Reading) -> bool:
    """Tell whether nothing was taken because the page that sent it is of another site."""
    reasons = {error.reason for refused in reading.refused for error in refused.errors}
    return not reading.events and reasons == {RejectReason.ORIGIN_NOT_ALLOWED}
