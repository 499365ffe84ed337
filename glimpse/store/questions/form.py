"""What differs from one asking of a question to the next: blanks of its form, which are filled in each time.

Rule of this module: whatever a form took from the scope it was made for is either a blank or a fact, so that it can be
told of any other scope whether the form serves it, and with which values.
"""

# pyright: reportCallIssue=false
# Ibis takes a type by its name where its annotations want one.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

BLANK = "glimpse_blank"  # a function of this name stands in the expression, with the blank's name


class Blank(NamedTuple):
    """A value of an Ibis type, and how it follows from the scope that is asked about."""

    kind: str
    of: Callable[[Any], Any]


class Form:
    """The blanks of one compiled question, and what has to be so for it to serve."""

    def __init__(self) -> None:
        self.blanks: dict[str, Blank] = {}
        self._facts: list[tuple[Callable[[Any], Any], Any]] = []

    def blank(self, name: str, of: Callable[[Any], Any], kind: str) -> ir.Value:
        """Return what stands for a value; the same name is the same value."""
        self.blanks.setdefault(name, Blank(kind, of))
        return _blank_of(kind)(name)

    def rely(self, of: Callable[[Any], Any], found: Any) -> None:
        """Remember that the form serves only where something is as it was found."""
        self._facts.append((of, found))

    def serves(self, asked: Any) -> bool:
        """Tell whether the form serves a scope."""
        return all(of(asked) == found for of, found in self._facts)


def _blank_of(kind: str) -> Callable[[str], ir.Value]:
    def blank(which: str) -> Any: ...  # the engine never sees it: the compiled question has a parameter there

    return ibis.udf.scalar.builtin(blank, name=BLANK, signature=(("string",), kind))
