"""What is wrong with a question's arguments, in words: which one, what it is, and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_KINDS = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "null": ""}
_MOST_SHOWN = 80  # characters of what was given


def mistake(name: str, taken: type[msgspec.Struct], given: Mapping[str, Any], *, strict: bool) -> str:
    """Return the first mistake of arguments that are no such struct; the name is the question's."""
    fields = msgspec.structs.fields(taken)
    names = [field.name for field in fields]
    if unknown := [one for one in given if one not in names]:
        return f"{name} takes no {unknown[0][:_MOST_SHOWN]!r}; it takes {', '.join(names) or 'nothing of its own'}"
    if missing := [field.name for field in fields if field.required and field.name not in given]:
        return f"{name} needs {' and '.join(missing)}"
    for field in fields:
        value = given.get(field.name, msgspec.UNSET)
        if value is not msgspec.UNSET and not _is(value, field.type, strict=strict):
            allowed = _allowed(msgspec.json.schema(field.type))
            return f"{name}: {field.name} must be {allowed}; it is {_shown(value)}"
    return f"{name}: its arguments are not what it takes"


def _is(value: Any, kind: Any, *, strict: bool) -> bool:
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        return False
    return True


def _allowed(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(filter(None, map(_allowed, schema["anyOf"]))) or "null"
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if schema.get("type") == "array":
        return _between(f"a list of {_allowed(schema['items'])}", schema.get("minItems"), schema.get("maxItems"))
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    said = "more than " if "exclusiveMinimum" in schema else ""
    return _between(_KINDS.get(schema.get("type", ""), "an object"), least, schema.get("maximum"), said)


def _between(kind: str, least: Any, most: Any, said: str = "") -> str:
    if least is None and most is None:
        return kind
    return f"{kind}, {said}{least} to {most}" if None not in (least, most) else f"{kind}, {said or 'at least '}{least}"


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else msgspec.json.encode(value, enc_hook=repr).decode()
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
