from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import admitted, event_of

from glimpse.errors import QueryError
from glimpse.events import Event, Session
from glimpse.filters import Filter, field, parse, search
from glimpse.filters.expression import kept_events, kept_sessions
from glimpse.filters.predicate import predicate_of
from glimpse.store import DuckStore, Lot
from glimpse.store.rows import events_table, sessions_table

from .made import IDS, WORDS, filters, histories
from .model import keeps


class History:
    """Events and sessions, in the store's tables and in tables of memory."""

    def __init__(self, folder: Path) -> None:
        self.store = DuckStore.open(folder)
        self.stored = self.store.tables["events"], self.store.tables["sessions"]
        self.cursor = self.store._connection

    def put(self, events: Sequence[Event], sessions: Sequence[Session]) -> None:
        self.cursor.execute("DELETE FROM events; DELETE FROM sessions")
        self.store.commit(Lot(list(events), list(sessions)))

    def ids(self, question: ibis.Table) -> set[str]:
        return {str(row[0]) for row in self.cursor.sql(ibis.to_sql(question[["id"]], dialect="duckdb")).fetchall()}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory):
    made = History(tmp_path_factory.mktemp("store"))
    yield made
    made.store.close()


def in_memory(where: Filter, events: Sequence[Event], sessions: Sequence[Session]) -> set[str]:
    tables = {"recent": events_table(events), "visits": sessions_table(sessions)}
    schemas = {name: ibis.memtable(table).schema() for name, table in tables.items()}
    recent, visits = (ibis.table(schemas[name], name=name) for name in tables)
    with duckdb.connect() as window:
        for name, table in tables.items():
            window.register(name, table)
        kept = kept_events(where, recent, visits)[["id"]]
        return {row[0] for row in window.sql(ibis.to_sql(kept, dialect="duckdb")).fetchall()}


# One reading and one writing for many filters: making events is the slow part.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(filters, min_size=6, max_size=6), histories())
def test_the_store_tables_in_memory_and_the_predicate_keep_what_the_filter_means(
    history: History, wheres: list[Filter], recorded: tuple[list[Event], list[Session]]
):
    events, sessions = recorded
    by_key = {(session.project, session.id): session for session in sessions}
    history.put(events, sessions)
    for where in wheres:
        expected = {event.id for event in events if keeps(where, event, by_key.get((event.project, event.session_id)))}
        assert history.ids(kept_events(where, *history.stored)) == expected, where
        assert in_memory(where, events, sessions) == expected, where
        kept = predicate_of(where)
        assert {e.id for e in events if kept(e, by_key.get((e.project, e.session_id)))} == expected, where


def event(**facts: object) -> Event:
    return event_of(admitted(), session_id=IDS[0], **facts)


@pytest.mark.parametrize("word", [word for word in WORDS if word.strip()])
def test_a_value_is_a_value_whatever_is_in_it(history: History, word: str):
    mine, other = event(title=word, properties={"k": word}), event(title=word + "x", properties={"k": word + "x"})
    history.put([mine, other], [])
    for where in (field("title") == word, field("properties.k").is_in(word, 5), field("title").between(word, word)):
        assert history.ids(kept_events(where, *history.stored)) == {mine.id}
        assert history.ids(kept_events(~where, *history.stored)) == {other.id}
    assert mine.id in history.ids(kept_events(search(word), *history.stored))


@pytest.mark.parametrize(
    "text",
    [
        """page = "'; DROP TABLE events; --" """,
        """page = '"; DROP TABLE events; --' """,
        """properties."') ; DROP TABLE events; --" = 1""",
        """properties."$.*" exists""",
        '''properties."a\\"].b" = "x"''',
        """page matches "'; DROP TABLE events; --" """,
        """ "'; DROP TABLE events; --" """,
    ],
)
def test_what_looks_like_sql_stays_text(history: History, text: str):
    kept = event(page="/")
    history.put([kept], [])
    assert history.ids(kept_events(parse(text), *history.stored)) == set()
    assert history.ids(kept_events(~parse(text), *history.stored)) == {kept.id}


LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
ESCAPED = st.sampled_from(
    ['"', "\\", "/", "\n", "\t", "\x01", "\x7f", "\\u0041", "ü", "日", "😀", "\u2028", "%", "_", "'"]
)
SPOKEN = st.lists(LETTERS | ESCAPED, min_size=1, max_size=12).map("".join)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["k", "a b", "ü", "日本"]), min_size=1, max_size=3), SPOKEN, SPOKEN, st.data())
def test_what_is_in_json_is_found_by_itself_and_by_its_parts(
    history: History, keys: list[str], text: str, other: str, data: st.DataObject
):
    value, number = {keys[-1]: text}, {keys[-1]: len(text)}
    for key in reversed(keys[:-1]):
        value, number = {key: value}, {key: number}
    spoken, counted = event(properties=value), event(properties=number)
    history.put([spoken, counted], [])
    asked = field("properties." + ".".join(f'"{key}"' for key in keys))
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    kept: list[tuple[Filter, set[str]]] = [
        (asked == text, {spoken.id}),
        (asked.is_in(other, text), {spoken.id}),
        (asked.is_in(len(text), other), {counted.id} | ({spoken.id} if text == other else set())),
        (asked.contains(text[begin:end]), {spoken.id}),
        (asked.starts_with(text[:end]), {spoken.id}),
        (asked == len(text), {counted.id}),
        (asked > len(text) - 0.5, {counted.id}),
        (asked != text, {counted.id}),
    ]
    for where, expected in kept:
        assert history.ids(kept_events(where, *history.stored)) == expected, where
        assert in_memory(where, [spoken, counted], []) == expected, where


def test_of_what_a_filter_on_json_asks_for_only_what_mentions_it_is_parsed(history: History):
    for text, looked_for in (
        ('properties.plan = "pro"', '"pro"'),
        ('properties.plan starts with "p"', '"p'),
        ("properties.plan > 3", '"plan"'),
    ):
        sql = ibis.to_sql(kept_events(parse(text), *history.stored), dialect="duckdb")
        assert f'CONTAINS(CAST("t0"."properties" AS TEXT), \'{looked_for}\')' in sql, sql


def test_a_number_and_its_digits_as_text_differ(history: History):
    number, text = event(properties={"n": 5}), event(properties={"n": "5"})
    history.put([number, text], [])
    for where, expected in (
        ("properties.n = 5", {number.id}),
        ('properties.n = "5"', {text.id}),
        ('properties.n in (5, "5")', {number.id, text.id}),
        ("properties.n > 4", {number.id}),
        ("properties.n != 5", {text.id}),
    ):
        assert history.ids(kept_events(parse(where), *history.stored)) == expected


def test_is_not_takes_in_what_is_unknown(history: History):
    german, unknown = event(country="DE"), event()
    history.put([german, unknown], [])
    assert history.ids(kept_events(parse('country != "DE"'), *history.stored)) == {unknown.id}
    assert history.ids(kept_events(parse('country != "DE" and country exists'), *history.stored)) == set()


def test_a_session_is_kept_for_one_event_that_is(history: History):
    visits = [Session(project="shop", id=name, started_at=1, last_seen_at=2, pages=n) for n, name in enumerate(IDS[:3])]
    events = [event(name="buy", project="shop"), event_of(admitted("buy"), session_id=IDS[1])]
    history.put(events, visits)
    events_, sessions_ = history.stored
    for where, expected in (
        ('name = "buy"', {IDS[0], IDS[1]}),
        ('name = "buy" and session.pages > 0', {IDS[1]}),
        ("session.pages > 0", {IDS[1], IDS[2]}),
        ('name != "buy"', set()),
    ):
        assert history.ids(kept_sessions(parse(where), sessions_, events_)) == expected


def test_sessions_can_be_asked_about_only_where_they_are(history: History):
    with pytest.raises(QueryError, match="sessions can't be asked about here"):
        kept_events(parse("session.pages > 1"), history.stored[0])


def test_a_filter_as_large_as_allowed_compiles_and_runs(history: History):
    where = parse(" or ".join(f'properties.k{n} = "{n}" and not page = "{n}"' for n in range(100)))
    kept = event(properties={"k99": "99"})
    history.put([kept, event()], [])
    assert history.ids(kept_events(where, *history.stored)) == {kept.id}


def test_clickhouse_is_asked_in_its_own_words():
    table = ibis.table({"name": "string", "properties": "string", "session_id": "uuid"}, name="events")
    compiled = ibis.to_sql(parse_for_clickhouse(table), dialect="clickhouse")
    assert "JSONExtractFloat" in compiled
    assert "JSONType" in compiled


def parse_for_clickhouse(table: ibis.Table) -> ibis.Table:
    from glimpse.filters.dialects import DIALECTS
    from glimpse.filters.expression import _Compiler

    where = parse('properties.a.b > 1 and properties.c = "x" and properties.d exists')
    return table.filter(_Compiler(table, DIALECTS["clickhouse"], "").condition(where, total=False))
