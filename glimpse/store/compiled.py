"""Questions that DuckDB was asked before: compiled once, and asked again with other values and other filters.

Rule of this module: values are bound, never pasted; a question whose form differs is compiled anew. A filter is
compiled by itself and put in its places, for Ibis takes a hundred times as long over a whole question. Its texts are
values too, where it says that a field is one of them: a click on another country asks the same question.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from secrets import token_hex
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar, cast

import duckdb
import ibis
import msgspec
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBType, compiler

from glimpse.errors import QueryError
from glimpse.filters import And, Condition, Filter, Not, Op, Or, parse, to_json
from glimpse.filters.expression import condition_on
from glimpse.filters.fields import Kind
from glimpse.filters.tree import conditions_of
from glimpse.store.questions import Question, Scope
from glimpse.store.questions.form import BLANK, CONDITION, Blank, Columns, ConditionBlank, Form

K = TypeVar("K")
V = TypeVar("V")
_MARK = f"{token_hex(16)}."  # which no filter says
_PLACE = token_hex(16)  # which no question has in it
_MOST_FORMS = 12  # of one question: of one project or of all, from the beginning or not, filtered by sessions or not


# Filters of each kind that makes a difference to a question's form.
_LIKELY = tuple(map(parse, ('session.source = ""', 'name = ""', 'name = "" and session.source = ""')))


class Compiled(NamedTuple):
    """A question as SQL, with the blanks that stand in it."""

    sql: str
    blanks: dict[str, Blank]

    def values(self, asked: Scope) -> dict[str, Any]:
        """Return what its parameters are for a scope."""
        return {name: blank.of(asked) for name, blank in self.blanks.items()}


class CompiledQuestions:
    """The questions last asked, by all but their project, span and filter. Threads may share it."""

    def __init__(self, most: int = 256) -> None:
        self._outlines: _Lately[tuple[str, bytes], list[_Outline]] = _Lately(most)
        self._conditions: _Lately[tuple[bytes, Columns, str], sge.Expr] = _Lately(most)
        self._filled: _Lately[tuple[_Outline, bytes], Compiled] = _Lately(most)
        self._ahead: deque[tuple[Question, Scope, Mapping[str, Any]]] = deque(maxlen=most)

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
        outline, is_new = self._outline(question, scope, arguments)
        if is_new:
            self._ahead.extend((question, replace(scope, where=where), arguments) for where in _LIKELY)
        for mark in (marked, as_it_is):
            wheres = {name: mark(blank.of(scope)) for name, blank in outline.form.conditions.items()}
            key = outline, msgspec.json.encode([_told(where) for where in wheres.values()])
            found = self._filled.get(key) or outline.filled(wheres, self._condition)
            self._filled.put(key, found)
            if _MARK not in found.sql:  # else a text is part of another value, such as a pattern
                break
        return found

    def compile_ahead(self) -> bool:
        """Compile one form in which a question that was asked is likely to be asked next; false when there is none."""
        while self._ahead:
            with contextlib.suppress(IndexError, QueryError):  # another thread took the last; it takes no filter
                if self._outline(*self._ahead.popleft())[1]:
                    return True
        return False

    def _outline(self, question: Question, scope: Scope, arguments: Mapping[str, Any]) -> tuple[_Outline, bool]:
        """Return what serves a scope, and whether it had to be compiled."""
        # As JSON: in Python 1, 1.0 and true would be one key.
        key = question.name, msgspec.json.encode(question.read(arguments))
        there = next((one for one in self._outlines.get(key) or () if one.form.serves(scope)), None)
        found = there or _Outline(question, scope, arguments)
        others = [one for one in self._outlines.get(key) or () if one is not found]
        self._outlines.put(key, [found, *others][:_MOST_FORMS])
        return found, there is None

    def _condition(self, blank: ConditionBlank, where: Filter) -> sge.Expr:
        """Return a filter as SQL about the columns of its place."""
        key = msgspec.json.encode(_told(where)), blank.columns, blank.session_prefix
        found = self._conditions.get(key)
        if found is None:
            rows = ibis.table(dict(blank.columns), "rows")
            kept = rows.filter(condition_on(where, rows, blank.session_prefix))
            found = compiler.to_sqlglot(kept.unbind()).args["where"].this
        self._conditions.put(key, found)
        return found


class _Outline:
    """A question as SQL with places for its filters."""

    def __init__(self, question: Question, scope: Scope, arguments: Mapping[str, Any]) -> None:
        self.form = Form()
        expression = question.expression(replace(scope, form=self.form), arguments)
        self._blanks: dict[str, Blank] = {}
        self._places: dict[str, _Place] = {}
        tree = compiler.to_sqlglot(expression.unbind()).transform(self._as_blank)
        self._sql = _sql(tree)
        for part in filter(_is_of_rows_alone, tree.find_all(sge.CTE)):
            part.set("materialized", value=False)
        self._sql_anew = _sql(tree)

    def _as_blank(self, node: sge.Expr) -> sge.Expr:
        if _is_call(node, BLANK):
            name = node.expressions[0].name
            self._blanks[name] = self.form.blanks[name]
            return _parameter(name, self._blanks[name].kind)
        if _is_call(node, CONDITION):
            called, *columns = node.expressions
            blank = self.form.conditions[called.name]
            sign = f"{_PLACE}_{len(self._places)}_"
            its_columns = {name: column for (name, _), column in zip(blank.columns, columns, strict=True)}
            self._places[sign] = _Place(called.name, blank, its_columns)
            return sge.Var(this=sign)
        return node

    def filled(
        self, wheres: Mapping[str, Filter | None], condition: Callable[[ConditionBlank, Filter], sge.Expr]
    ) -> Compiled:
        """Return it with a filter in each of its places, in which marks may stand for texts.

        Rows that it uses twice are read twice: it takes less time than keeping them, and no memory. Not so where the
        filter takes long over each.
        """
        sql = self._sql_anew if all(map(_is_quick, wheres.values())) else self._sql
        blanks = dict(self._blanks)
        for sign, place in self._places.items():
            where = wheres[place.name]
            said = sge.true() if where is None else place.with_its_columns(condition(place.blank, where), blanks)
            sql = sql.replace(sign, f"({_sql(said)})")
        return Compiled(sql, blanks)


class _Place(NamedTuple):
    """Where a filter goes in a question: its name, and what its columns are called there."""

    name: str
    blank: ConditionBlank
    columns: dict[str, sge.Expr]

    def with_its_columns(self, condition: sge.Expr, blanks: dict[str, Blank]) -> sge.Expr:
        """Return a filter as it has to be here; adds the blanks of its texts."""

        def in_place(node: sge.Expr) -> sge.Expr:
            if isinstance(node, sge.Column):
                return self.columns[node.name].copy()
            if not (isinstance(node, sge.Literal) and node.is_string and node.this.startswith(_MARK)):
                return node
            number = int(node.this.removeprefix(_MARK))
            text = f"{self.name}_text_{number}"
            blanks[text] = Blank("string", lambda asked: list(_texts(self.blank.of(asked)))[number])
            return _parameter(text, "string")

        return condition.transform(in_place)


def _is_of_rows_alone(part: sge.CTE) -> bool:
    """Return whether a part of a question is rows of a table as they are."""
    is_more = part.this.find(sge.Join, sge.Group, sge.Distinct, sge.SetOperation, sge.Order, sge.Limit)
    shown = [one for select in part.this.find_all(sge.Select) for one in select.expressions]
    return not is_more and all(isinstance(one, sge.Star | sge.Column) for one in shown)


def _is_quick(where: Filter | None) -> bool:
    """Return whether a filter says of a row at once whether it is kept: it parses nothing, and matches no pattern."""
    match where:
        case And(items) | Or(items):
            return all(map(_is_quick, items))
        case Not(item):
            return _is_quick(item)
        case Condition(field, op):
            return field.kind is not Kind.JSON and op is not Op.MATCHES
    return where is None  # a search looks at all that a row has


def _is_call(node: sge.Expr, name: str) -> bool:
    return isinstance(node, sge.Anonymous) and node.name.lower() == name


def _sql(tree: sge.Expr) -> str:
    return tree.sql(dialect=compiler.dialect)


def _told(where: Filter | None) -> Any:
    return None if where is None else to_json(where)


def _parameter(name: str, kind: str) -> sge.Expr:
    return sge.Cast(this=sge.Placeholder(this=name), to=DuckDBType.from_ibis(ibis.dtype(kind)))


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


def as_it_is(where: Filter | None) -> Filter | None:
    """Return a filter with its texts in it."""
    return where


def _texts(where: Filter | None) -> Iterator[str]:
    """Return the texts for which marks stand, in their order."""
    for said in conditions_of(where) if where is not None else ():
        if _is_of_texts(said):
            yield from cast("tuple[str, ...]", said.values)


def _is_of_texts(said: Condition) -> bool:
    return said.field.kind is Kind.TEXT and said.op in (Op.IS, Op.IN)


class _Lately(Generic[K, V]):
    """What was used last, so many at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """Return what is kept of a key, or None."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep a value, as the one used last."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
