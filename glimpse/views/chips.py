"""A filter as the chips of a bar: the conditions that all have to be met, each of which can be put, changed, taken out.

Rule of this module: a chip is a filter of `glimpse.filters`, whole; what a viewer types or clicks becomes one or a
`QueryError`, never part of a text.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from glimpse.errors import QueryError
from glimpse.filters import (
    FIELDS,
    And,
    Condition,
    Field,
    Filter,
    Kind,
    Not,
    Op,
    Search,
    parse,
    read_field,
    to_text,
)

# What may be clicked on somewhere: a name that a browser sends is looked up here first.
PICKED = frozenset(
    {
        *("name", "page", "source", "channel", "referrer", "country", "region", "city", "session_id"),
        *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
        *("browser", "os", "device", "screen", "language", "session.entry_page", "session.exit_page"),
        *("session.source", "session.channel", "session.referrer"),
        *("session.utm_source", "session.utm_medium", "session.utm_campaign"),
    }
)
_WORDS = {
    Op.IS: ("is", "is not"),
    Op.IN: ("is one of", "is none of"),
    Op.CONTAINS: ("contains", "does not contain"),
    Op.STARTS_WITH: ("starts with", "does not start with"),
    Op.MATCHES: ("matches", "does not match"),
    Op.GREATER: (">", "≯"),
    Op.GREATER_OR_IS: ("≥", "≱"),
    Op.LESS: ("<", "≮"),
    Op.LESS_OR_IS: ("≤", "≰"),
    Op.BETWEEN: ("is between", "is not between"),
    Op.EXISTS: ("is known", "is unknown"),
}
_FIRST_WORD = re.compile(r"[A-Za-z_]+")
# A comparison has spaces or quotes: without them it may be part of an address.
_COMPARED = re.compile(
    r"[\w.]+(?: (?:!?=|[<>]=?) |\s*!?=\s*[\"']| (?:not )?(?:contains|starts with|matches) \"| (?:not )?in \()"
)


def chips_of(where: Filter | None) -> tuple[Filter, ...]:
    """Return the conditions that a filter wants met together."""
    if where is None:
        return ()
    return where.items if isinstance(where, And) else (where,)


def joined(chips: tuple[Filter, ...]) -> Filter | None:
    """Return the filter of all chips; none of them says nothing."""
    if len(chips) > 1:
        return And(chips)
    return chips[0] if chips else None


def picked(field: str, value: object) -> Filter:
    """Return the condition that a click on a value means; None is what is unknown.

    Raises
    ------
    QueryError
        When there is nothing of that name to click on.
    """
    if not (field in PICKED or field.startswith("properties.")) or not (value is None or isinstance(value, str)):
        raise QueryError("that can't be filtered by")
    return valued(read_field(field), value)


def valued(at: Field, value: str | None) -> Filter:
    """Return the condition that a field has a value of a breakdown: JSON's as text, None for what is unknown."""
    if value is None:
        return Not(Condition(at, Op.EXISTS))
    read = _read(value) if at.kind is Kind.JSON else None
    if isinstance(read, bool | float):
        return Condition(at, Op.IN, (value, read))  # the text of a number or a flag, which may be a text as well
    return Condition(at, Op.IS, (value,))


def _read(value: str) -> object:
    """Return what a text is as JSON: numbers as floats."""
    try:
        read = msgspec.json.decode(value)
        return float(read) if isinstance(read, int) and not isinstance(read, bool) else read
    except (msgspec.MsgspecError, OverflowError, RecursionError):
        return None


def typed(text: str) -> tuple[Filter, ...]:
    """Return what somebody means who types: conditions, if it begins like one, else a search.

    Raises
    ------
    QueryError
        At a mistake in what begins like a condition.
    """
    text = text.strip()
    if not text:
        return ()
    first = _FIRST_WORD.match(text)
    word = first[0] if first else ""
    is_condition = text[0] in "\"'(" or word == "session" or (word in FIELDS and len(word) < len(text))
    is_condition |= _COMPARED.match(text) is not None  # whatever is compared: a mistyped field is told
    is_condition |= word == "not" and typed_is_condition(text[3:])
    return chips_of(parse(text)) if is_condition else (Search(text),)


def typed_is_condition(text: str) -> bool:
    """Tell whether a text begins like a condition."""
    return not isinstance(next(iter(typed(text)), None), Search | None)


def shown(chip: Filter) -> dict[str, Any]:
    """Return how a chip is written on the bar: as field, word and value, or as text; `text` is what an editor gets."""
    inner, is_not = (chip.item, True) if isinstance(chip, Not) else (chip, False)
    text = to_text(chip)
    if isinstance(inner, Search):
        return {"text": text, "field": "", "says": "without" if is_not else "", "value": [inner.text]}
    if isinstance(inner, Condition):
        values = list(dict.fromkeys(_plain(value) for value in inner.values))
        is_one = inner.op is Op.IN and len(values) == 1  # 3 and "3" look the same
        said = _WORDS[Op.IS if is_one else inner.op][is_not]
        return {"text": text, "field": str(inner.field), "says": said, "value": values}
    return {"text": text, "field": "", "says": "", "value": [text]}


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
