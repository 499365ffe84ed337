"""How each engine reads a value out of JSON text, and makes letters small: what Ibis has no common word for.

Rule of this module: keys are literals; a value is told apart by its JSON type, so that `5` and `"5"` differ.
"""

# pyright: reportReturnType=false, reportUnusedParameter=false, reportArgumentType=false, reportCallIssue=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false
# The functions declared here have no bodies: the engines have.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir


class JsonValue(NamedTuple):
    """A value in a JSON column."""

    exists: ir.BooleanValue
    of: Callable[[type], tuple[ir.BooleanValue, ir.Value]]  # is it of a type (str, float, bool), and as such


class Dialect(NamedTuple):
    """An engine's own words."""

    value: Callable[[ir.Value, tuple[str, ...]], JsonValue]
    lower: Callable[[ir.StringValue], ir.StringValue]
    text: Callable[[ir.Value, tuple[str, ...]], ir.StringValue]  # a value of any type as text, null where there is none
    keys: Callable[[ir.Value], ir.ArrayValue]  # an object's own
    in_order: Callable[[ir.Value], ir.Value]  # a UUID as what sorts by its text
    epoch_ms: Callable[[ir.Value], ir.Value]  # a time as a whole number
    neighbours: Callable[[ir.Table, str], ir.Table]  # `earlier` and `later`: a row for each two that stand together


@ibis.udf.scalar.builtin(name="json_type")
def _json_type(document, path: str) -> str: ...  # noqa: ANN001 - of JSON or text


@ibis.udf.scalar.builtin(name="json_extract_string")
def _json_text(document, path: str) -> str: ...  # noqa: ANN001


@ibis.udf.scalar.builtin(name="json_keys", signature=(("string",), "array<string>"))
def _json_keys(document): ...  # noqa: ANN001, ANN202


_DUCK_NUMBERS = ("UBIGINT", "BIGINT", "DOUBLE", "HUGEINT", "UHUGEINT")


def _duck_value(document: ir.Value, keys: tuple[str, ...]) -> JsonValue:
    path = _duck_path(keys)
    kind: Any = _json_type(document, path)
    text: Any = _json_text(document, path)

    def of(wanted: type) -> tuple[ir.BooleanValue, ir.Value]:
        if wanted is str:
            return kind == "VARCHAR", text
        if wanted is bool:
            return kind == "BOOLEAN", text.try_cast("boolean")
        return kind.isin(_DUCK_NUMBERS), text.try_cast("float64")

    return JsonValue(kind != "NULL", of)


def _duck_as_text(document: ir.Value, keys: tuple[str, ...]) -> Any:
    return _json_text(document, _duck_path(keys))


def _duck_path(keys: tuple[str, ...]) -> str:
    return "$" + "".join('."' + key.replace('"', '\\"') + '"' for key in keys)


@ibis.udf.scalar.builtin(name="JSONType")
def _click_type(document: str, key: str) -> str: ...


@ibis.udf.scalar.builtin(name="JSONExtractRaw")
def _click_raw(document: str, key: str) -> str: ...


@ibis.udf.scalar.builtin(name="JSONExtractString")
def _click_text(document: str, key: str) -> str: ...


@ibis.udf.scalar.builtin(name="JSONExtractFloat")
def _click_float(document: str, key: str) -> float: ...


@ibis.udf.scalar.builtin(name="JSONExtractBool")
def _click_bool(document: str, key: str) -> bool: ...


@ibis.udf.scalar.builtin(name="JSONExtractKeys", signature=(("string",), "array<string>"))
def _click_keys(document): ...  # noqa: ANN001, ANN202


@ibis.udf.scalar.builtin(name="lowerUTF8")
def _click_lower(text: str) -> str: ...


def _click_as_text(document: ir.Value, keys: tuple[str, ...]) -> Any:
    inner, key = _click_inner(document, keys)
    kind: Any = _click_type(inner, key).cast("string")
    said = ibis.ifelse(kind == "String", _click_text(inner, key), _click_raw(inner, key))
    return ibis.ifelse(kind == "Null", ibis.null("string"), said)


def _click_inner(document: ir.Value, keys: tuple[str, ...]) -> tuple[Any, str]:
    """Return the innermost object, and the last key."""
    inner: Any = document.cast("string")
    for key in keys[:-1]:
        inner = _click_raw(inner, key)
    return inner, keys[-1]


def _click_value(document: ir.Value, keys: tuple[str, ...]) -> JsonValue:
    inner, key = _click_inner(document, keys)
    kind: Any = _click_type(inner, key).cast("string")

    def of(wanted: type) -> tuple[ir.BooleanValue, ir.Value]:
        if wanted is str:
            return kind == "String", _click_text(inner, key)
        if wanted is bool:
            return kind == "Bool", _click_bool(inner, key)
        return kind.isin(("Int64", "UInt64", "Double")), _click_float(inner, key)

    return JsonValue(kind != "Null", of)


@ibis.udf.scalar.builtin(name="epoch_ms", signature=(("timestamp(6)",), "int64"))
def _duck_epoch_ms(time): ...  # noqa: ANN001, ANN202


@ibis.udf.scalar.builtin(name="toUnixTimestamp64Milli", signature=(("timestamp(3)",), "int64"))
def _click_epoch_ms(time): ...  # noqa: ANN001, ANN202


def _duck_neighbours(table: ir.Table, name: str) -> ir.Table:
    array: Any = table[name]
    return table.mutate(earlier=array[:-1].unnest(), later=array[1:].unnest())  # side by side, not crossed


def _click_neighbours(table: ir.Table, name: str) -> ir.Table:
    array: Any = table[name]
    paired: Any = table.mutate(pair=array[:-1].zip(array[1:]).unnest())
    return paired.mutate(earlier=paired.pair.f1, later=paired.pair.f2).drop("pair")


# By Ibis' name of the engine. ClickHouse holds JSON as text.
DIALECTS = {
    "duckdb": Dialect(
        value=_duck_value,
        lower=lambda text: text.lower(),
        text=_duck_as_text,
        keys=_json_keys,
        in_order=lambda uuid: uuid,
        epoch_ms=lambda time: _duck_epoch_ms(time.cast("timestamp(6)")),
        neighbours=_duck_neighbours,
    ),
    "clickhouse": Dialect(
        value=_click_value,
        lower=_click_lower,
        text=_click_as_text,
        keys=_click_keys,
        in_order=lambda uuid: uuid.cast("string"),
        epoch_ms=_click_epoch_ms,
        neighbours=_click_neighbours,
    ),
}
