"""What a filter can ask about: the one table of fields, each with its kind and the place where it is stored.

Rule of this module: a name that is not in the table reaches no query; keys of JSON are values, never names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from glimpse.errors import QueryError


class Kind(StrEnum):
    """What values a field has, as messages name it."""

    TEXT = "text"
    NUMBER = "a number"
    TIME = "a time"
    FLAG = "true or false"
    JSON = "any value"  # each event's own: text in one, a number in another


class Home(StrEnum):
    """Where a field is stored."""

    EVENT = "event"
    SESSION = "session"


_TEXTS = (
    *("name", "url", "host", "page", "title"),
    *("referrer", "source", "channel", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
    *("country", "region", "city", "time_zone", "place_source"),
    *("browser", "os", "device", "language", "screen", "viewport"),
    *("project", "id", "session_id", "user_id", "anonymous_id"),
)
_SESSION_TEXTS = (
    *("entry_page", "exit_page", "country", "region", "city", "time_zone", "browser", "os", "device"),
    *("referrer", "source", "channel", "utm_source", "utm_medium", "utm_campaign"),
)
_SESSION_PREFIX = "session."


def _session(names: Iterable[str], kind: Kind) -> dict[str, tuple[Kind, Home, str]]:
    return {_SESSION_PREFIX + name: (kind, Home.SESSION, name) for name in names}


# What is written -> its kind, where it is, and its column there.
FIELDS: dict[str, tuple[Kind, Home, str]] = {
    **{name: (Kind.TEXT, Home.EVENT, name) for name in _TEXTS},
    **{name: (Kind.TIME, Home.EVENT, name) for name in ("time", "received_at")},
    **{name: (Kind.NUMBER, Home.EVENT, name) for name in ("lat", "lon")},
    **{name: (Kind.JSON, Home.EVENT, name) for name in ("properties", "context", "traits")},
    **_session(_SESSION_TEXTS, Kind.TEXT),
    **_session(("started_at", "last_seen_at", "entry_at", "exit_at"), Kind.TIME),
    **_session(("pages", "events", "interactions", "engaged_ms", "duration_s", "lat", "lon"), Kind.NUMBER),
    **_session(("is_bounce",), Kind.FLAG),
}

# What other tools call them: named in a message, not understood, so that each field has one name.
_OTHER_NAMES = {
    "event": "name",
    "event_name": "name",
    "path": "page",
    "pathname": "page",
    "referer": "referrer",
    "hostname": "host",
    "domain": "host",
    "lang": "language",
    "timezone": "time_zone",
    "campaign": "utm_campaign",
    "medium": "utm_medium",
    "term": "utm_term",
    "content": "utm_content",
    "operating_system": "os",
    "entry_page": "session.entry_page",
    "exit_page": "session.exit_page",
    "duration": "session.duration_s",
    "bounce": "session.is_bounce",
    "session": "session_id",
    "props": "properties",
    "latitude": "lat",
    "longitude": "lon",
    "timestamp": "time",
}

MOST_KEYS = 8  # of keys within each other
MOST_KEY_CHARS = 128  # that of the wire
UNFIT_KEY = 'a key with other characters than A-Z a-z 0-9 _ $ - goes in "quotes"'
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
# A key's end is a quote: that of JSON, in which a key can hold dots and spaces.
_STEP = re.compile(r'\.(?:([A-Za-z_$][A-Za-z0-9_$-]*)|("(?:[^"\\]|\\.)*"))', re.DOTALL)
_UNFIT_KEY = re.compile(r"[\x00-\x1f\x7f\\]|[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its name; of JSON fields with the keys to the value, the outermost first."""

    name: str
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in FIELDS:
            raise QueryError(f"there is no field {_short(self.name)}; {_instead_of(self.name)}")
        _check_keys(self)

    def __str__(self) -> str:
        return self.name + "".join(f".{_key_text(key)}" for key in self.keys)

    @property
    def kind(self) -> Kind:
        """What values it has."""
        return FIELDS[self.name][0]

    @property
    def home(self) -> Home:
        """Where it is stored."""
        return FIELDS[self.name][1]

    @property
    def column(self) -> str:
        """Its column there."""
        return FIELDS[self.name][2]


def read_field(text: str) -> Field:
    """Return the field that is written `country`, `session.pages`, `properties.plan` or `context."a key".b`.

    Raises
    ------
    QueryError
        When there is none of the name, with those that look like it.
    """
    if text in FIELDS:
        return Field(text)
    base, dot, _ = text.partition(".")
    if not dot or not has_keys(base):
        raise QueryError(f"there is no field {_short(text)}; {_instead_of(text)}")
    keys: list[str] = []
    at = len(base)
    while at < len(text):
        step = _STEP.match(text, at)
        if not step:
            raise QueryError(f"{_short(text)}: {UNFIT_KEY}")
        keys.append(step[1] or _quoted_key(step[2]))
        at = step.end()
    return Field(base, tuple(keys))


def has_keys(name: str) -> bool:
    """Tell whether a name is that of a JSON field: `properties`, `context`, `traits`."""
    return name in FIELDS and FIELDS[name][0] is Kind.JSON


def _quoted_key(text: str) -> str:
    try:
        return json.loads(text)
    except ValueError:
        raise QueryError(f'{_short(text)} is no key: between its quotes, a quote is written \\"') from None


def _check_keys(field: Field) -> None:
    if field.kind is not Kind.JSON:
        if field.keys:
            raise QueryError(f"{field.name} has no keys; properties, context and traits have")
        return
    if not 1 <= len(field.keys) <= MOST_KEYS:
        raise QueryError(f"{field.name} needs 1 to {MOST_KEYS} keys, such as {field.name}.plan")
    for key in field.keys:
        if not 1 <= len(key) <= MOST_KEY_CHARS or _UNFIT_KEY.search(key):
            raise QueryError(
                f"a key has 1 to {MOST_KEY_CHARS} characters and neither backslash nor control character: {_short(key)}"
            )


def _key_text(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _instead_of(text: str) -> str:
    wanted = text.lower()
    meant = _OTHER_NAMES.get(wanted)
    near = [meant] if meant else get_close_matches(wanted[:60], FIELDS, n=3, cutoff=0.7)
    plain = [name for name, (kind, home, _) in FIELDS.items() if home is Home.EVENT and kind is not Kind.JSON]
    known = f"fields are {', '.join(plain)}, session.…, properties.<key>, context.<key>, traits.<key>"
    if wanted.startswith(_SESSION_PREFIX):
        known = f"fields of sessions are {', '.join(name for name in FIELDS if name.startswith(_SESSION_PREFIX))}"
    return f"did you mean {' or '.join(near)}? {known}" if near else known


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")
