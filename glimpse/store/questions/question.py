"""How a question's arguments are checked and how they travel: the function's own signature says it.

Rule of this module: arguments are plain values, as JSON has them; a filter may be in any of its forms.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_type_hints

import ibis.expr.types as ir
import msgspec

from glimpse.errors import QueryError
from glimpse.filters import Filter, to_json
from glimpse.store.questions.mistakes import mistake
from glimpse.store.questions.scope import Scope


class Told(NamedTuple):
    """What is told of some arguments or columns at once; of none, where a section is prose."""

    names: list[str]
    text: str


@dataclass(frozen=True)
class Question:
    """One that can be asked by its name. `arguments` is a struct of what it takes beside project, span and filter."""

    name: str
    arguments: type[msgspec.Struct]
    _expression: Callable[..., ir.Table]

    @classmethod
    def of(cls, function: Callable[..., ir.Table]) -> Question:
        """Make one of a function `(scope, *, argument=default, …)`; its annotations are what is checked."""
        hints = get_type_hints(function, include_extras=True)
        taken = [one for one in inspect.signature(function).parameters.values() if one.kind is one.KEYWORD_ONLY]
        fields = [
            (one.name, hints[one.name]) if one.default is one.empty else (one.name, hints[one.name], one.default)
            for one in taken
        ]
        struct = msgspec.defstruct(function.__name__, fields, kw_only=True, frozen=True, forbid_unknown_fields=True)
        return cls(function.__name__, struct, function)

    @property
    def help(self) -> str:
        """What it answers, with its columns and units."""
        return inspect.getdoc(self._expression) or ""

    @property
    def told(self) -> tuple[str, dict[str, list[Told]]]:
        """What it answers in prose, and the sections of its help by their titles: `Parameters`, `Returns`."""
        text, *sections = re.split(r"\n\n(?=\w+\n-+\n)", self.help)
        told: dict[str, list[Told]] = {}
        for title, _, body in (section.split("\n", 2) for section in sections):
            entries = re.findall(r"^(\w[^\n]*)\n((?:    [^\n]*\n?)+)", body, re.MULTILINE)
            told[title] = [Told(names.split(", "), " ".join(said.split())) for names, said in entries]
            told[title] = told[title] or [Told([], " ".join(body.split()))]
        return text, told

    @property
    def defaults(self) -> dict[str, Any]:
        """The arguments that may be left out, and what they are then."""
        parameters = inspect.signature(self._expression).parameters.values()
        return {one.name: one.default for one in parameters if one.default is not one.empty}

    def expression(self, scope: Scope, arguments: Mapping[str, Any]) -> ir.Table:
        """Return the answer as an Ibis expression over the scope's tables.

        Raises
        ------
        QueryError
            At an argument that is missing, unknown, or not of its kind.
        """
        read = self.read(arguments)
        return self._expression(scope, **{name: getattr(read, name) for name in read.__struct_fields__})

    def read(self, arguments: Mapping[str, Any], *, from_text: bool = False) -> Any:
        """Return arguments checked, as a struct with the defaults filled in.

        Parameters
        ----------
        arguments
            By name.
        from_text
            Take numbers and flags also as text, as they stand in an address.

        Raises
        ------
        QueryError
            At one that is missing, unknown, or not of its kind.
        """
        given = plain(arguments)
        try:
            return msgspec.convert(given, self.arguments, strict=not from_text)
        except msgspec.ValidationError:
            raise QueryError(mistake(self.name, self.arguments, given, strict=not from_text)) from None


def plain(value: Any) -> Any:
    """Return a value as it travels: filters as their JSON, tuples as lists."""
    match value:
        case Filter():
            return to_json(value)
        case Mapping():
            return {name: plain(one) for name, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
    return value
