"""What was seen of a tracked page: its tags, what it asked for, and what its console said."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SCRIPT_NAMES = ("/glimpse.js", "/glimpse.mjs", "/glimpse-")


@dataclass
class Request:
    """One request of the page, or one made in its place."""

    url: str
    method: str = "GET"
    body: str = ""
    status: int = 0  # 0 while there is no answer
    answer: str = ""
    failure: str = ""  # why there was none, in the browser's words; `csp` when a policy forbade it

    @property
    def is_script(self) -> bool:
        """Whether it fetches the tracker."""
        path = urlsplit(self.url).path
        return self.method == "GET" and any(name in path for name in SCRIPT_NAMES)

    @property
    def sent(self) -> dict[str, Any] | None:
        """The envelope of events that it carries, if it carries one."""
        try:
            body = json.loads(self.body) if self.method == "POST" else None
        except ValueError:
            return None
        return body if isinstance(body, dict) and "events" in body and "projectId" in body else None

    @property
    def told(self) -> dict[str, Any]:
        """What Glimpse answered; empty when it was somebody else."""
        try:
            told = json.loads(self.answer)
        except ValueError:
            return {}
        return told if isinstance(told, dict) and "success" in told else {}


@dataclass
class Loaded:
    """A page as it was seen."""

    url: str
    how: str  # who looked, in words
    status: int = 0
    failure: str = ""
    tags: list[dict[str, str]] = field(default_factory=list[dict[str, str]])  # the attributes of each
    requests: list[Request] = field(default_factory=list[Request])
    console: list[str] = field(default_factory=list[str])

    @property
    def script(self) -> Request | None:
        """The fetch of the tracker's core, if there was one; of several, the one that went best."""
        return max((one for one in self.requests if one.is_script), key=lambda one: one.status == 200, default=None)

    @property
    def events(self) -> list[Request]:
        """The requests that carried events."""
        return [one for one in self.requests if one.sent is not None]
