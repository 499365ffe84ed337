from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest
from records import NOON, admitted, event_of

from glimpse.errors import StoreCorrupt, StoreUnavailable
from glimpse.events import Event, Session
from glimpse.store import DuckStore, Lot
from glimpse.store import duckdb as duckdb_store

SESSION_ID = "0190c1f3-7a1b-7c3d-9e4f-0123456789ab"


def row(**facts: object) -> Event:
    return event_of(admitted(), session_id=SESSION_ID, page="/", **facts)


@pytest.fixture
def store(tmp_path: Path):
    opened = DuckStore.open(tmp_path)
    yield opened
    opened.close()


def test_a_lot_comes_back_whole_after_reopening(tmp_path: Path):
    store = DuckStore.open(tmp_path)
    event = row(properties={"plan": "pro", "n": [1, None]}, lat=48.2, lon=16.4)
    session = Session(project="shop", id=SESSION_ID, started_at=NOON, last_seen_at=NOON + 5, client_session="a")
    store.commit(Lot([event], [session], counts=Counter({("shop", "stored"): 1}), positions={0: "7-1", 3: "5-0"}))
    store.close()
    again = DuckStore.open(tmp_path)
    assert again.recent_events(NOON, 10) == [event]
    assert again.recent_sessions(NOON) == [session]
    assert again.positions() == {0: "7-1", 3: "5-0"}
    again.close()


def test_who_it_was_comes_back_where_it_was_kept_and_is_null_where_not(store: DuckStore):
    kept = row(user_id="u1", anonymous_id="a1", traits={"plan": "pro"})
    plain = row(time=NOON + 1, received_at=NOON + 1)
    store.commit(Lot([kept, plain]))
    assert store.recent_events(0, 10) == [kept, plain]
    columns = "SELECT user_id, anonymous_id, traits FROM events ORDER BY time"
    assert store.reader().execute(columns).fetchall() == [("u1", "a1", '{"plan":"pro"}'), (None, None, None)]


def test_a_store_of_an_earlier_version_is_brought_up_to_date_with_its_rows(tmp_path: Path):
    first = min((Path(duckdb_store.__file__).parent / "migrations" / "duckdb").glob("*.sql"))
    with duckdb.connect(tmp_path / "glimpse.duckdb") as old:
        old.execute(first.read_text())
        old.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL)")
        old.execute("INSERT INTO migrations VALUES (1, ?)", [first.name])
        old.execute(
            "INSERT INTO events (id, project, session_id, name, time, received_at, channel, properties, context)"
            " VALUES (uuid(), 'shop', ?, 'signup', make_timestamp_ms(?), make_timestamp_ms(?), 'direct', '{}', '{}')",
            [SESSION_ID, NOON, NOON],
        )
    store = DuckStore.open(tmp_path)
    (event,) = store.recent_events(0, 10)
    assert (event.name, event.user_id, event.traits) == ("signup", None, None)
    store.commit(Lot([row(user_id="u1")]))
    store.close()


def test_a_session_is_replaced_not_repeated(store: DuckStore):
    session = Session(project="shop", id=SESSION_ID, started_at=NOON, last_seen_at=NOON)
    store.commit(Lot(sessions=[session]))
    session.last_seen_at, session.pages = NOON + 60_000, 3
    store.commit(Lot(sessions=[session]))
    assert [(s.pages, s.last_seen_at) for s in store.recent_sessions(0)] == [(3, NOON + 60_000)]


def test_a_failed_commit_leaves_nothing_behind(store: DuckStore):
    with pytest.raises(duckdb.Error):
        store.commit(Lot([row(), row(id="no uuid")], counts=Counter({("shop", "stored"): 2}), positions={0: "9-9"}))
    assert (store.recent_events(0, 10), store.positions()) == ([], {})
    store.commit(Lot([row()]))


def test_the_rows_that_cannot_be_stored_are_found_by_halving(store: DuckStore):
    rows = [row() for _ in range(50)]
    rows[17].name, rows[40].id = "lone \ud800 surrogate", "no uuid"
    refused = store.refused(rows)
    assert [found for found, _ in refused] == [rows[17], rows[40]]
    assert all("can't take it" in reason for _, reason in refused)


def test_no_row_is_blamed_for_memory_that_is_full(tmp_path: Path):
    store = DuckStore.open(tmp_path, memory_mb=64)
    rows = [row(), row(properties={"note": "x" * 80_000_000})]
    with pytest.raises(StoreUnavailable, match="can't commit"):
        store.commit(Lot(rows))
    with pytest.raises(StoreUnavailable, match="can't commit"):
        store.refused(rows)
    store.commit(Lot(rows[:1]))
    assert [event.id for event in store.recent_events(0, 10)] == [rows[0].id]
    store.close()


def test_a_start_reads_more_than_the_memory_holds(tmp_path: Path):
    store = DuckStore.open(tmp_path, memory_mb=64)
    for first in range(0, 30_000, 5_000):
        note = {"note": "x" * 4_000}
        store.commit(Lot([row(properties=note, received_at=NOON + n) for n in range(first, first + 5_000)]))
    recent = store.recent_events(NOON + 1, 25_000)
    assert [event.received_at for event in recent] == list(range(NOON + 5_000, NOON + 30_000))
    assert store.recent_events(NOON + 30_000, 10) == []
    store.close()


def test_known_ids_are_those_of_the_same_project_and_span(store: DuckStore):
    mine, other = row(), row(project="other")
    store.commit(Lot([mine, other]))
    asked = [("shop", mine.id), ("shop", other.id), ("other", other.id)]
    assert store.known_ids(asked, NOON) == {("shop", mine.id), ("other", other.id)}
    assert store.known_ids(asked, NOON + 1) == set()


def test_a_corrupt_file_is_refused_and_left_as_it_is(tmp_path: Path):
    file = tmp_path / "glimpse.duckdb"
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreCorrupt, match="left as it is"):
        DuckStore.open(tmp_path)
    assert file.read_bytes() == b"no database" * 1000


@pytest.mark.parametrize(
    "attack",
    [
        "COPY events TO 'x.csv'",
        "COPY events FROM '/etc/passwd'",
        "EXPORT DATABASE 'everything'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM read_json('http://127.0.0.1:1/')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT getenv('HOME')",
        "ATTACH 'y.db'",
        "INSTALL httpfs",
        "LOAD '/tmp/some.duckdb_extension'",
        "PRAGMA enable_profiling",
        "PRAGMA memory_limit = '100GB'",
        "RESET threads",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "SET temp_directory = '/tmp'",
    ],
)
def test_readers_cannot_touch_files_or_settings(store: DuckStore, attack: str):
    with pytest.raises(duckdb.Error):
        store.reader().execute(attack)


def test_a_question_larger_than_the_memory_is_answered_by_way_of_the_folder_beside_the_file(tmp_path: Path):
    large = "SELECT count(*) FROM (SELECT DISTINCT md5(i::VARCHAR) FROM range(2000000) r(i))"
    without_folder = duckdb.connect(config={"memory_limit": "64MB", "threads": 2, "temp_directory": ""})
    with pytest.raises(duckdb.OutOfMemoryException):
        without_folder.execute(large)
    without_folder.close()
    store = DuckStore.open(tmp_path, memory_mb=64)
    assert store.reader().execute(large).fetchall() == [(2_000_000,)]
    store.close()


def test_what_a_killed_process_spilled_is_gone_once_the_store_is_open_again(tmp_path: Path):
    folder = tmp_path / "glimpse.duckdb.tmp"
    folder.mkdir()
    (folder / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"rows of somebody")
    (folder / "notes.txt").write_text("none of ours")
    DuckStore.open(tmp_path).close()
    assert [file.name for file in folder.iterdir()] == ["notes.txt"]
