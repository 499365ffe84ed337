"""`glimpse live`: the live numbers of a server that runs, as a table or as JSON.

Rule of this module: what visitors sent is shown as text, and moves no cursor.
"""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from glimpse.errors import QueryError, ServerUnavailable, SettingsError

ANSWER_WITHIN_S = 10.0
EVERY_S = 1.0
_BARS = " ▁▂▃▄▅▆▇█"
_LISTS = (
    ("page", "page views", "top_pages", "page", "page_views", "unknown"),
    ("source", "sessions", "top_sources", "source", "sessions", "direct"),
    ("country", "sessions", "top_countries", "country", "sessions", "unknown"),
    ("event", "times", "top_names", "name", "events", "unknown"),
)
_WIDEST = 48  # columns of a name
_CLEAR = "\x1b[H\x1b[J"


class Asked(msgspec.Struct, frozen=True):
    """Whose numbers are asked of which server."""

    url: str = "http://localhost:5006"
    project: str = "*"
    where: str | None = None
    segment: str | None = None

    @property
    def address(self) -> str:
        """Where the answer is."""
        given = {"project": self.project, "where": self.where, "segment": self.segment}
        return f"{self.url.rstrip('/')}/api/v1/live?{urlencode({key: value for key, value in given.items() if value})}"


def numbers_of(asked: Asked) -> dict[str, Any]:
    """Return the numbers as they are now: the answer of `/api/v1/live`.

    Raises
    ------
    SettingsError
        When the address is none.
    QueryError
        When what is asked has a mistake; the server's words.
    ServerUnavailable
        When no server of Glimpse answers there, or it can't tell them now.
    """
    host = urlsplit(asked.url).hostname
    if urlsplit(asked.url).scheme not in ("http", "https") or not host:
        raise SettingsError(f"{asked.url} is no address of a server: give one such as http://localhost:5006")
    # What is on this machine is asked straight, whatever proxy is set.
    straight = [urllib.request.ProxyHandler({})] if host in ("localhost", "127.0.0.1", "::1") else []
    try:
        with urllib.request.build_opener(*straight).open(asked.address, timeout=ANSWER_WITHIN_S) as answer:
            return msgspec.json.decode(answer.read(), type=dict[str, Any])
    except urllib.error.HTTPError as refusal:
        raise _meant(asked, refusal.code, refusal.read()) from None
    except msgspec.MsgspecError:
        raise ServerUnavailable(f"what answers at {asked.url} is no Glimpse") from None
    except (OSError, ValueError) as problem:
        why = getattr(problem, "reason", problem)
        raise ServerUnavailable(f"no server answers at {asked.url} ({why}); --url names another") from None


def _meant(asked: Asked, status: int, body: bytes) -> Exception:
    try:
        told = str(msgspec.json.decode(body, type=dict[str, Any])["detail"])
    except (msgspec.MsgspecError, KeyError):
        return ServerUnavailable(f"what answers at {asked.url} is no Glimpse: status {status}")
    return QueryError(told) if status == 400 else ServerUnavailable(told)


def show(asked: Asked, *, as_json: bool, write: Callable[[str], object] = sys.stdout.write) -> None:
    """Print the numbers once."""
    write(_shown(numbers_of(asked), as_json=as_json))


def follow(asked: Asked, *, as_json: bool, pause: Callable[[float], None] = time.sleep) -> None:
    """Print the numbers whenever one has changed, once a second at most, until interrupted.

    A server that goes away later is waited for; that it is away is said once, on standard error.
    """
    seen: dict[str, Any] = {}
    is_away = False
    numbers = numbers_of(asked)
    while True:
        if _without_time(numbers) != seen:
            seen = _without_time(numbers)
            head = _CLEAR if sys.stdout.isatty() and not as_json else ""
            sys.stdout.write(head + _shown(numbers, as_json=as_json) + ("" if head or as_json else "\n"))
            sys.stdout.flush()
        pause(EVERY_S)
        try:
            numbers, is_away = numbers_of(asked), False
        except ServerUnavailable as problem:
            if not is_away:
                sys.stderr.write(f"glimpse live: {problem}; trying again\n")
            is_away = True


def _without_time(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in numbers.items() if name not in ("as_of", "covers_since")}


def _shown(numbers: Mapping[str, Any], *, as_json: bool) -> str:
    return msgspec.json.encode(numbers).decode() + "\n" if as_json else table(numbers)


def table(numbers: Mapping[str, Any]) -> str:
    """Return an answer of `/api/v1/live` for people to read."""
    project = "all projects" if numbers["project"] == "*" else _plain(numbers["project"])
    since, until = _clock(numbers["covers_since"], "%H:%M"), _clock(numbers["as_of"], "%H:%M:%S")
    rate = numbers["bounce_rate"]
    counts = [
        ("active", numbers["active"]), ("idle", numbers["idle"]), ("gone", numbers["gone"]),
        ("sessions", numbers["sessions"]), ("page views", numbers["page_views"]), ("events", numbers["events"]),
        ("events last minute", numbers["events_last_minute"]),
    ]  # fmt: skip
    per_minute = [minute["events"] for minute in numbers["per_minute"]]
    lines = [
        f"{project}, {since} to {until} UTC",
        "",
        *(f"  {name:20}{count:>10,}" for name, count in counts),
        f"  {'bounce rate':20}{'-' if rate is None else f'{rate:.0%}':>10}",
        "",
        f"  events per minute  {_sparkline(per_minute)}  at most {max(per_minute, default=0):,}",
    ]
    for title, unit, name, key, count, missing in _LISTS:
        lines += _list(title, unit, [(line[key] or missing, line[count]) for line in numbers[name]])
    return "\n".join(lines) + "\n"


def _list(title: str, unit: str, rows: Sequence[tuple[str, int]]) -> list[str]:
    if not rows:
        return []
    shown = [(_plain(name), f"{count:,}") for name, count in rows]
    width = max(len(title), *(len(name) for name, _ in shown))
    room = max(len(unit), *(len(count) for _, count in shown))
    head = f"  {title:{width}}  {unit:>{room}}"
    return ["", head, *(f"  {name:{width}}  {count:>{room}}" for name, count in shown)]


def _sparkline(values: Sequence[int]) -> str:
    top = max(values, default=0) or 1
    return "".join(_BARS[-(-value * (len(_BARS) - 1) // top)] for value in values)


def _plain(text: str) -> str:
    """Return a text of one line that a terminal takes for nothing else."""
    shown = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 1] + "…"


def _clock(epoch_ms: int, form: str) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime(form)
