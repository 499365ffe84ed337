"""Questions that DuckDB was asked before: compiled once, and asked again with other values.

Rule of this module: values are bound, never pasted; a question whose form differs is compiled anew. A filter's texts
are values too, where it says that a field is one of them: a click on another country asks the same question.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from secrets import token_hex
from threading import Lock
from typing import Any, NamedTuple, cast

import duckdb
import ibis
import ibis.expr.types as ir
import msgspec
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBType, compiler

from glimpse.filters import And, Condition, Filter, Not, Op, Or, to_json
from glimpse.filters.fields import Kind
from glimpse.filters.tree import conditions_of
from glimpse.store.questions import Question, Scope
from glimpse.store.questions.form import BLANK, Blank, Form

_Key = tuple[str, bytes, bytes]
_MARK = f"{token_hex(16)}."  # which no filter says
_MOST_FORMS = 8  # of one question: of one project or of all, from the beginning or not, in summer or in winter


class Compiled(NamedTuple):
    """A question as SQL, with the blanks that stand in it."""

    sql: str
    form: Form
    blanks: dict[str, Blank]

    def values(self, asked: Scope) -> dict[str, Any]:
        """Return what its parameters are for a scope."""
        return {name: blank.of(asked) for name, blank in self.blanks.items()}


class CompiledQuestions:
    """The questions last asked, by all but their project and span. Threads may share it."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._forms: OrderedDict[_Key, list[Compiled]] = OrderedDict()
        self._lock = Lock()

    def rows(
        self, cursor: duckdb.DuckDBPyConnection, question: Question, scope: Scope, arguments: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the rows that answer a question, asked with a cursor."""
        asked = self.of(question, scope, arguments)
        return cursor.sql(asked.sql, params=asked.values(scope)).to_arrow_table().to_pylist()

    def of(self, question: Question, scope: Scope, arguments: Mapping[str, Any]) -> Compiled:
        """Return a question compiled, in a form that serves a scope.

        Raises
        ------
        QueryError
            When an argument has a mistake, or the span is none for the question.
        """
        # As JSON: in Python 1, 1.0 and true would be one key.
        said = msgspec.json.encode(question.read(arguments))
        for where in (marked(scope.where), scope.where):
            key = (question.name, said, b"" if where is None else msgspec.json.encode(to_json(where)))
            with self._lock:
                forms = self._forms.get(key, [])
            found = next((one for one in forms if one.form.serves(scope)), None)
            found = found or _compiled(question, replace(scope, where=where), arguments)
            self._keep(key, found)
            if _MARK not in found.sql:  # else a text is part of another value, such as a pattern
                break
        return found

    def _keep(self, key: _Key, last: Compiled) -> None:
        with self._lock:
            others = [one for one in self._forms.get(key, []) if one is not last]
            self._forms[key] = [last, *others][:_MOST_FORMS]
            self._forms.move_to_end(key)
            if len(self._forms) > self._most:
                self._forms.popitem(last=False)


def marked(where: Filter | None) -> Filter | None:
    """Return a filter with a mark in place of each text that a field is said to be: what is left is its form."""
    numbers = count()

    def mark(one: Filter) -> Filter:
        match one:
            case And(items):
                return And(tuple(map(mark, items)))
            case Or(items):
                return Or(tuple(map(mark, items)))
            case Not(item):
                return Not(mark(item))
            case Condition(field, op, values) if _is_of_texts(one):
                return Condition(field, op, tuple(f"{_MARK}{next(numbers)}" for _ in values))
        return one

    return None if where is None else mark(where)


def _texts(where: Filter | None) -> Iterator[str]:
    """Return the texts for which marks stand, in their order."""
    for said in conditions_of(where) if where is not None else ():
        if _is_of_texts(said):
            yield from cast("tuple[str, ...]", said.values)


def _is_of_texts(said: Condition) -> bool:
    return said.field.kind is Kind.TEXT and said.op in (Op.IS, Op.IN)


def _compiled(question: Question, scope: Scope, arguments: Mapping[str, Any]) -> Compiled:
    form = Form()
    expression: ir.Table = question.expression(replace(scope, form=form), arguments)
    used: dict[str, Blank] = {}

    def as_parameter(node: sge.Expr) -> sge.Expr:
        if isinstance(node, sge.Literal) and node.is_string and node.this.startswith(_MARK):
            number = int(node.this.removeprefix(_MARK))
            used[f"text_{number}"] = Blank("string", lambda asked: list(_texts(asked.where))[number])
            return sge.Cast(this=sge.Placeholder(this=f"text_{number}"), to=DuckDBType.from_ibis(ibis.dtype("string")))
        if not (isinstance(node, sge.Anonymous) and node.name.lower() == BLANK):
            return node
        name = node.expressions[0].name
        used[name] = form.blanks[name]
        return sge.Cast(this=sge.Placeholder(this=name), to=DuckDBType.from_ibis(ibis.dtype(used[name].kind)))

    tree = compiler.to_sqlglot(expression.unbind()).transform(as_parameter)
    return Compiled(tree.sql(dialect=compiler.dialect), form, used)
