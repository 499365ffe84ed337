"""Requests of other trackers, put to a dialect without a server: what it reads, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from glimpse.collect.answers import Answer
from glimpse.collect.dialects import DIALECTS, Dialect, Outcome
from glimpse.collect.endpoints import find
from glimpse.collect.remarks import with_remarks
from glimpse.collect.request import Request
from glimpse.events import AdmittedEvent, ClaimedEvent, DropReason
from glimpse.settings import Settings
from glimpse.wire import Reading

NOW = 1_790_000_000_000
SETTINGS = Settings()


class Asked(NamedTuple):
    """One request and what came of it."""

    dialect: Dialect
    request: Request
    reading: Reading

    @property
    def event(self) -> ClaimedEvent:
        assert not self.reading.refused, self.reading.refused
        assert self.reading.problem is None, self.reading.problem
        [(_, event)] = self.reading.events
        return event

    @property
    def events(self) -> list[ClaimedEvent]:
        return [event for _, event in self.reading.events]

    def answer(self, dropped: Sequence[DropReason] = (), admitted: Sequence[AdmittedEvent] = ()) -> Answer:
        """Return what the edge sends: the dialect's answer, with what Glimpse remarks on all of them."""
        given = list(enumerate(dropped))
        answer = self.dialect.answer(Outcome(self.request, self.reading, given, admitted))
        return with_remarks(answer, self.reading, given, layer="")

    def answered(self) -> Any:
        return json.loads(self.answer().body)


def ask(path: str, body: Any = b"", method: str | None = None, settings: Settings = SETTINGS, **headers: str) -> Asked:
    """Put a request to whatever dialect is at its path; a body that is no bytes goes as JSON."""
    path, _, query = path.partition("?")
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    method = method or ("POST" if sent else "GET")
    resource = find(path)
    assert resource, path
    endpoint = resource.endpoint(method)
    assert endpoint, (path, method)
    assert endpoint.dialect, path
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(sent, named, "203.0.113.9", method, path, query, resource.names)
    return Asked(endpoint.dialect, request, endpoint.dialect.read(request, NOW, settings))


def every_dialect() -> dict[str, Dialect]:
    return {endpoint.path: endpoint.dialect for row in DIALECTS for endpoint in row if endpoint.dialect}
