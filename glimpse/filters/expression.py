"""A filter as one Ibis expression, over stored tables and over tables in memory alike.

Rule of this module: a column's name comes from the table of fields, everything else is a bound literal.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# Ibis builds columns by name at run time; its types can't say which there are.

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import msgspec

from glimpse.errors import QueryError
from glimpse.filters.dialects import DIALECTS, Dialect
from glimpse.filters.fields import Field, Home, Kind
from glimpse.filters.rules import Op, Value, epoch_ms
from glimpse.filters.tree import And, Condition, Filter, Not, Or, Search, conditions_of

_SESSION_COLUMN = "filtered_session_"  # before the session columns that a filter needs beside an event's own
_MOST_LOOKED_FOR = 8  # texts of a list; for more, to look for each takes longer than to parse
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the store's times are UTC without a zone
KeptWhere = Callable[[ir.Table, str], ir.BooleanValue]
_ORDER: dict[Op, Callable[[Any, Any], ir.BooleanValue]] = {
    Op.IS: operator.eq,
    Op.GREATER: operator.gt,
    Op.GREATER_OR_IS: operator.ge,
    Op.LESS: operator.lt,
    Op.LESS_OR_IS: operator.le,
}


def kept_events(where: Filter | None, events: ir.Table, sessions: ir.Table | None = None) -> ir.Table:
    """Return the events that a filter keeps, with the columns they have.

    Parameters
    ----------
    where
        The filter; None keeps all.
    events
        A table with the columns of `glimpse.events.Event`, JSON columns as JSON or as text.
    sessions
        The table of their sessions, for filters on `session.…`.

    Raises
    ------
    QueryError
        When the filter asks about sessions and no table of them is given.
    """
    if where is None:
        return events
    return kept_by(partial(condition_on, where), session_columns(where), events, sessions)


def kept_by(
    condition: KeptWhere, columns: Sequence[str], events: ir.Table, sessions: ir.Table | None = None
) -> ir.Table:
    """Return the events of which a condition is so, with the columns they have.

    Parameters
    ----------
    condition
        Is given a table, and what stands before the names of its session columns.
    columns
        Those of sessions that it asks about.
    events, sessions
        As `kept_events` takes them.
    """
    if not columns:
        return events.filter(condition(events, ""))
    if sessions is None:
        raise QueryError("fields of sessions can't be asked about here; leave out session.…")
    joined = _beside_sessions(events, sessions, columns)
    return joined.filter(condition(joined, _SESSION_COLUMN))[events.columns]


def condition_on(where: Filter, table: ir.Table, session_prefix: str) -> ir.BooleanValue:
    """Return a filter as what is so of each row that it keeps, and false or null of the others."""
    return _Compiler(table, _dialect_of(table), session_prefix).condition(where, total=False)


def with_value(events: ir.Table, field: Field, name: str, sessions: ir.Table | None = None) -> ir.Table:
    """Return events with one more column, that of a field's values; null where it is not known.

    Parameters
    ----------
    events, sessions
        As `kept_events` takes them.
    field
        Any field. Values of JSON are text: of texts as they are, of anything else its JSON.
    name
        The new column's.

    Raises
    ------
    QueryError
        When the field is one of sessions and no table of them is given.
    """
    if field.kind is Kind.JSON:
        return events.mutate(**{name: _dialect_of(events).text(events[field.column], field.keys)})
    if field.home is Home.EVENT:
        return events.mutate(**{name: _readable(events[field.column], field)})
    if sessions is None:
        raise QueryError("fields of sessions can't be asked about here; leave out session.…")
    joined = _beside_sessions(events, sessions, [field.column])
    return joined.mutate(**{name: _readable(joined[_SESSION_COLUMN + field.column], field)})[[*events.columns, name]]


def with_number(events: ir.Table, field: Field, name: str) -> ir.Table:
    """Return events with one more column: a JSON field's number, null where it is none."""
    is_number, number = _dialect_of(events).value(events[field.column], field.keys).of(float)
    return events.mutate(**{name: ibis.ifelse(is_number, number, ibis.null("float64"))})


def with_flags(events: ir.Table, flags: dict[str, Filter], sessions: ir.Table | None = None) -> ir.Table:
    """Return events with one more column for each filter: whether it keeps the event, never null.

    Parameters
    ----------
    events, sessions
        As `kept_events` takes them.
    flags
        The new columns' names, each with its filter.

    Raises
    ------
    QueryError
        When a filter asks about sessions and no table of them is given.
    """
    columns = sorted({column for where in flags.values() for column in session_columns(where)})
    if columns and sessions is None:
        raise QueryError("fields of sessions can't be asked about here; leave out session.…")
    joined = _beside_sessions(events, sessions, columns) if columns and sessions is not None else events
    compiler = _Compiler(joined, _dialect_of(events), _SESSION_COLUMN if columns else "")
    flagged = joined.mutate(**{name: compiler.condition(where, total=True) for name, where in flags.items()})
    return flagged[[*events.columns, *flags]]


def in_order(events: ir.Table) -> ir.Value:
    """Return what sorts events of one time: their ids by their text, in the way that costs the engine least."""
    return _dialect_of(events).in_order(events.id)


def epoch_ms_of(events: ir.Table) -> ir.Value:
    """Return the events' times as whole numbers: epoch milliseconds."""
    return _dialect_of(events).epoch_ms(events.time)


def neighbours(table: ir.Table, name: str) -> ir.Table:
    """Return a row for each two values that stand side by side in an array column: `earlier`, and `later` after it."""
    return _dialect_of(table).neighbours(table, name)


def with_property_keys(events: ir.Table, name: str) -> ir.Table:
    """Return each event once for each of its outermost properties, with one more column: the property's key."""
    some = events.filter(events.properties.cast("string") != "{}")
    return some.mutate(**{name: _dialect_of(events).keys(some.properties).unnest()})


def kept_sessions(where: Filter | None, sessions: ir.Table, events: ir.Table | None = None) -> ir.Table:
    """Return the sessions that a filter keeps: with an event that it keeps.

    A filter that asks only about sessions is asked of them alone.

    Parameters
    ----------
    where
        The filter; None keeps all.
    sessions
        A table with the columns of `glimpse.events.Session`.
    events
        Their events, others may be among them; for filters that ask about more than sessions.

    Raises
    ------
    QueryError
        When the filter asks about events and no table of them is given.
    """
    if where is None:
        return sessions
    if is_of_sessions_alone(where):
        return sessions.filter(condition_on(where, sessions, ""))
    if events is None:
        raise QueryError("only fields of sessions can be asked about here: session.…")
    return sessions_of(kept_events(where, events, sessions), sessions)


def sessions_of(events: ir.Table, sessions: ir.Table) -> ir.Table:
    """Return the sessions that have one of some events."""
    return sessions.semi_join(events, [sessions.project == events.project, _same(sessions.id, events.session_id)])


def is_of_sessions_alone(where: Filter) -> bool:
    """Tell whether a filter asks about nothing but sessions."""
    conditions = conditions_of(where)
    return len(conditions) == where.conditions and all(said.field.home is Home.SESSION for said in conditions)


def session_columns(where: Filter) -> list[str]:
    """Return the columns of sessions that a filter asks about."""
    return sorted({said.field.column for said in conditions_of(where) if said.field.home is Home.SESSION})


def _beside_sessions(events: ir.Table, sessions: ir.Table, columns: Sequence[str]) -> ir.Table:
    # One row a session, so each event stays once; an event whose session is not there has nulls.
    names = {_SESSION_COLUMN + column: column for column in ("project", "id", *columns)}
    beside = sessions.select(**{name: sessions[column] for name, column in names.items()})
    mine, its_id = beside[_SESSION_COLUMN + "project"], beside[_SESSION_COLUMN + "id"]
    return events.left_join(beside, [events.project == mine, _same(events.session_id, its_id)])


def _same(one: ir.Value, other: ir.Value) -> ir.BooleanValue:
    return one == other if one.type() == other.type() else one.cast("string") == other.cast("string")


def _dialect_of(table: ir.Table) -> Dialect:
    """Return how the table's engine is asked; tables in memory and unbound ones are DuckDB's."""
    engines = {node.source.name for node in table.op().find(ops.DatabaseTable)}
    return DIALECTS[engines.pop() if engines else "duckdb"]


class _Compiler:
    """Makes conditions on one table, in which session columns have a prefix."""

    def __init__(self, table: ir.Table, dialect: Dialect, session_prefix: str) -> None:
        self._table = table
        self._dialect = dialect
        self._session_prefix = session_prefix

    def condition(self, where: Filter, *, total: bool) -> ir.BooleanValue:
        """Return a filter as a boolean; only where `total` is false may it be null instead of false.

        Null serves as false as long as nothing turns it round, and leaves the engine its short cuts.
        """
        match where:
            case And(items):
                return _balanced([self.condition(item, total=total) for item in items], operator.and_)
            case Or(items):
                return _balanced([self.condition(item, total=total) for item in items], operator.or_)
            case Not(item):
                return ~self.condition(item, total=True)
            case Search(text):
                said = self._found(text)
            case Condition(field=field) if field.kind is Kind.JSON:
                said = self._json(where)
            case Condition():
                said = _plain(where, self._column(where.field))
            case _:
                raise TypeError(f"{where!r} is no filter")
        return said.fill_null(False) if total else said  # noqa: FBT003 - Ibis' parameter

    def _column(self, field: Field) -> ir.Column:
        prefix = self._session_prefix if field.home is Home.SESSION else ""
        return _readable(self._table[prefix + field.column], field)

    def _json(self, said: Condition) -> ir.BooleanValue:
        column = self._table[said.field.column]
        value = self._dialect.value(column, said.field.keys)
        if said.op is Op.EXISTS:
            return value.exists
        by_type: dict[type, list[Value]] = {}
        for one in said.values:
            by_type.setdefault(type(one), []).append(one)
        parts: list[ir.BooleanValue] = []
        for kind, values in by_type.items():
            is_kind, read = value.of(kind)
            parts.append(_mentioned(column, said, values) & is_kind & _said(said.op, read, values))
        # An event has a value of one type, so the others are false, not null.
        return _balanced([part.fill_null(False) for part in parts] if len(parts) > 1 else parts, operator.or_)  # noqa: FBT003

    def _found(self, text: str) -> ir.BooleanValue:
        lower = self._dialect.lower
        needle = lower(ibis.literal(text))
        # As a part of JSON it is escaped as the store's JSON is.
        escaped = lower(ibis.literal(msgspec.json.encode(text).decode()[1:-1]))
        texts = [lower(self._table[name]).contains(needle) for name in ("name", "url", "host", "page")]
        properties = lower(self._table["properties"].cast("string")).contains(escaped)
        return _balanced([*texts, properties], operator.or_)


def _readable(column: ir.Column, field: Field) -> ir.Column:
    return column.cast("string") if field.kind is Kind.TEXT and not column.type().is_string() else column


def _plain(said: Condition, column: ir.Column) -> ir.BooleanValue:
    if said.op is Op.EXISTS:
        return column.notnull()
    values = [_moment(value) for value in said.values] if said.field.kind is Kind.TIME else said.values
    return _said(said.op, column, values)


def _mentioned(column: ir.Column, said: Condition, values: Sequence[Value]) -> ir.BooleanValue:
    """Return what is so wherever a condition on JSON is: what the text has to have in it, so that few are parsed.

    JSON is stored as msgspec writes it, each letter by itself: so is a part of a text part of the text's JSON.
    """
    whole = [msgspec.json.encode(value).decode() for value in values]
    match said.op:
        case Op.IS | Op.IN if isinstance(values[0], str) and len(values) <= _MOST_LOOKED_FOR:
            parts = whole
        case Op.CONTAINS:
            parts = [one[1:-1] for one in whole]
        case Op.STARTS_WITH:
            parts = [one[:-1] for one in whole]
        case _:
            parts = [msgspec.json.encode(said.field.keys[-1]).decode()]
    text = column.cast("string")
    return _balanced([text.contains(part) for part in parts], operator.or_)


def _said(op: Op, column: ir.Value, values: Sequence[Any]) -> ir.BooleanValue:
    literals = [ibis.literal(value) for value in values]
    match op:
        case Op.IN:
            return column.isin(literals)
        case Op.BETWEEN:
            return column.between(*literals)
        case Op.CONTAINS:
            return column.contains(literals[0])
        case Op.STARTS_WITH:
            return column.startswith(literals[0])
        case Op.MATCHES:
            return column.re_search(f"(?-s){values[0]}")  # ClickHouse's dot would take line ends
    return _ORDER[op](column, literals[0])


def _moment(value: Value) -> datetime:
    return _EPOCH + timedelta(milliseconds=epoch_ms(value))


def _balanced(parts: Sequence[Any], join: Callable[[Any, Any], Any]) -> Any:
    """Join in halves: as a chain, some hundreds of parts would be deeper than Python's stack."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return join(_balanced(parts[:middle], join), _balanced(parts[middle:], join))
