"""What differs from one asking of a question to the next: blanks of its form, which are filled in each time.

Rule of this module: whatever a form took from the scope it was made for is either a blank or a fact, so that it can be
told of any other scope whether the form serves it, and with which values. A filter is a blank like any other value.
"""

# pyright: reportCallIssue=false
# Ibis takes a type by its name where its annotations want one.

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import Parameter, Signature
from typing import Any, NamedTuple

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from glimpse.filters import Filter

BLANK = "glimpse_blank"  # a function of this name stands in the expression, with the blank's name
CONDITION = "glimpse_condition"  # and this one where a filter goes, with its name and all columns it may ask about


Columns = tuple[tuple[str, dt.DataType], ...]  # each by its name, with its type


class Blank(NamedTuple):
    """A value of an Ibis type, and how it follows from the scope that is asked about."""

    kind: str
    of: Callable[[Any], Any]


class ConditionBlank(NamedTuple):
    """A filter that is told later: which one, of which columns, and how those of sessions begin there."""

    of: Callable[[Any], Filter | None]
    columns: Columns
    session_prefix: str


class Form:
    """The blanks of one compiled question, and what has to be so for it to serve."""

    def __init__(self) -> None:
        self.blanks: dict[str, Blank] = {}
        self.conditions: dict[str, ConditionBlank] = {}
        self._facts: list[tuple[Callable[[Any], Any], Any]] = []

    def blank(self, name: str, of: Callable[[Any], Any], kind: str) -> ir.Value:
        """Return what stands for a value; the same name is the same value."""
        self.blanks.setdefault(name, Blank(kind, of))
        return _blank_of(kind)(name)

    def condition(
        self, name: str, of: Callable[[Any], Filter | None], table: ir.Table, session_prefix: str
    ) -> ir.BooleanValue:
        """Return what stands for a filter of a table's rows; the same name is the same filter of the same columns."""
        columns = tuple(table.schema().items())
        self.conditions.setdefault(name, ConditionBlank(of, columns, session_prefix))
        return _condition_of(columns)(name, *[table[column] for column, _ in columns])

    def rely(self, of: Callable[[Any], Any], found: Any) -> None:
        """Remember that the form serves only where something is as it was found."""
        self._facts.append((of, found))

    def serves(self, asked: Any) -> bool:
        """Tell whether the form serves a scope."""
        return all(of(asked) == found for of, found in self._facts)


@lru_cache
def _condition_of(columns: Columns) -> Callable[..., ir.BooleanValue]:
    def condition() -> Any: ...  # a filter is there by the time the engine sees it

    kinds = ("string", *(kind for _, kind in columns))
    taken = [Parameter(f"_{number}", Parameter.POSITIONAL_OR_KEYWORD) for number in range(len(kinds))]
    condition.__signature__ = Signature(taken)
    return ibis.udf.scalar.builtin(condition, name=CONDITION, signature=(kinds, "boolean"))


@lru_cache
def _blank_of(kind: str) -> Callable[[str], ir.Value]:
    def blank(which: str) -> Any: ...  # the engine never sees it: the compiled question has a parameter there

    return ibis.udf.scalar.builtin(blank, name=BLANK, signature=(("string",), kind))
