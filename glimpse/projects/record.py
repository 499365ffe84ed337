"""What is set for one project, and how each setting is written: `PROJECT_SETTINGS` is the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any, Literal, NamedTuple

import msgspec

from glimpse.errors import ProjectError
from glimpse.events import LAYER_OF_BOTS
from glimpse.projects.origins import normal_origin
from glimpse.settings import position
from glimpse.wire.claim import is_project

_MOST_LISTED = 200
_MOST_CHARS = 200
_MOST_DAYS = 100 * 365
_GREATEST_RATE = 1_000_000


class ProjectSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is set for a project; the defaults are those of one that is not registered."""

    id: str = ""
    name: str = ""
    origins: tuple[str, ...] = ()  # patterns; none: any
    identity: Literal["drop", "keep"] = "drop"
    respects_gpc: bool = True
    bots: Literal["drop", "keep"] = "drop"  # kept ones go to a layer of their own
    blocked_pages: tuple[str, ...] = ()  # globs on the page's path
    blocked_networks: tuple[str, ...] = ()
    retention_days: int | None = None  # None: kept for ever
    rate_limit: float | None = None  # events a second; None: what GLIMPSE_RATE_LIMIT says
    home: tuple[float, float] | None = None  # latitude and longitude; None: what GLIMPSE_HOME says


class ProjectSetting(NamedTuple):
    """One row of the table."""

    field: str
    parse: Callable[[str], Any]  # raises ValueError that says what is allowed
    unit: str
    help: str
    choices: tuple[str, ...] = ()  # where there are few

    @property
    def is_list(self) -> bool:
        """Whether several are written, with commas between them."""
        return isinstance(getattr(_DEFAULTS, self.field), tuple)

    @property
    def word(self) -> str:
        """The setting as the command line has it: `blocked-pages`."""
        return self.field.replace("_", "-")


def checked_id(text: str) -> str:
    """Return an id that can be registered, or raise `ProjectError`."""
    if not is_project(text):
        raise ProjectError(f"{text!r} is no project id: it must be 1 to 64 of the characters A-Z a-z 0-9 . _ : -")
    if text.endswith(LAYER_OF_BOTS):
        raise ProjectError(
            f"{text!r} can't be registered: {LAYER_OF_BOTS} at the end names the bots of a project;"
            f" set bots=keep for {text.removesuffix(LAYER_OF_BOTS)!r} to have them"
        )
    return text


def checked_changes(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return settings by field, of texts by field; "" stands for the default.

    Raises
    ------
    ProjectError
        The message names the setting, its value and what is allowed.
    """
    rows = {row.field: row for row in PROJECT_SETTINGS}
    return {field: _checked(rows[field], text) for field, text in texts.items()}


def _checked(row: ProjectSetting, text: str) -> Any:
    if not text.strip():
        return getattr(_DEFAULTS, row.field)
    try:
        return row.parse(text.strip())
    except ValueError as problem:
        raise ProjectError(f"{row.word}={text!r} is not allowed: {problem}; it is {row.help}") from None


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"use {' or '.join(allowed)}")
        return text

    return parse


def _yes_or_no(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise ValueError("use yes or no")
    return text.lower() in _YES


_YES, _NO = frozenset({"yes", "1", "true", "on"}), frozenset({"no", "0", "false", "off"})


def _listed(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    def parse_all(text: str) -> tuple[str, ...]:
        parts = dict.fromkeys(parse(part.strip()) for part in text.split(",") if part.strip())
        if len(parts) > _MOST_LISTED:
            raise ValueError(f"{len(parts)} are listed; at most {_MOST_LISTED} are allowed")
        return tuple(parts)

    return parse_all


def _glob(text: str) -> str:
    if not text.startswith(("/", "*")) or len(text) > _MOST_CHARS:
        raise ValueError(
            f"{text!r} must begin with / or *, such as /admin/*, and have at most {_MOST_CHARS} characters"
        )
    return text


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is no address such as 203.0.113.7 and no network such as 203.0.113.0/24") from None


def _name(text: str) -> str:
    if len(text) > _MOST_CHARS or not text.isprintable():
        raise ValueError(f"it must have at most {_MOST_CHARS} characters, all of them printable")
    return text


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_DAYS:
        raise ValueError(f"it must be a whole number from 1 to {_MOST_DAYS}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= _GREATEST_RATE:
        raise ValueError(f"it must be a number greater than 0, and at most {_GREATEST_RATE}")
    return rate


_DEFAULTS = ProjectSettings()
PROJECT_SETTINGS = (
    ProjectSetting("name", _name, "text", "what people call it"),
    ProjectSetting(
        "origins",
        _listed(normal_origin),
        "origins, by comma",
        "the sites whose pages may send its events (default: any)",
    ),
    ProjectSetting(
        "identity",
        _one_of("drop", "keep"),
        "drop or keep",
        "what becomes of userId, anonymousId and traits",
        ("drop", "keep"),
    ),
    ProjectSetting(
        "respects_gpc",
        _yes_or_no,
        "yes or no",
        "whether events of browsers that ask for privacy (Sec-GPC) are dropped",
        ("yes", "no"),
    ),
    ProjectSetting(
        "bots",
        _one_of("drop", "keep"),
        "drop or keep",
        "what becomes of bots' events; kept ones are in <id>:bots",
        ("drop", "keep"),
    ),
    ProjectSetting(
        "blocked_pages", _listed(_glob), "globs, by comma", "the pages whose events are dropped, by their path"
    ),
    ProjectSetting(
        "blocked_networks", _listed(_network), "networks, by comma", "the addresses whose events are dropped"
    ),
    ProjectSetting("retention_days", _days, "days", "how long its events are kept (default: GLIMPSE_RETENTION_DAYS)"),
    ProjectSetting("rate_limit", _rate, "events a second", "the most that is taken (default: GLIMPSE_RATE_LIMIT)"),
    ProjectSetting(
        "home", position, "latitude,longitude", "where the map's arcs lead, such as 52.37,4.90 (default: GLIMPSE_HOME)"
    ),
)


def settings_table() -> str:
    """Return the table of `docs/projects.md`, in Markdown."""
    rows = [
        f"| `{row.word}` | {shown(getattr(_DEFAULTS, row.field))} | {row.unit} | {row.help} |"
        for row in PROJECT_SETTINGS
    ]
    return "\n".join(["| setting | default | value | what |", "|---|---|---|---|", *rows])


def shown(value: object) -> str:
    """Return a setting's value as the command line writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
