"""What reads from ClickHouse's engine in this process can do nothing else: no files, addresses, settings or rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ibis
import pytest

from glimpse.errors import StoreRefused, StoreUnavailable
from glimpse.settings import Settings
from glimpse.store import open_store
from glimpse.store.clickhouse import ClickHouseStore
from glimpse.store.clickhouse_asker import ClickHouseAsker


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClickHouseStore]:
    opened = open_store(Settings(data_dir=tmp_path, store_url="clickhouse+chdb://"))
    assert isinstance(opened, ClickHouseStore)
    yield opened
    opened.close()


@pytest.fixture
def asker(store: ClickHouseStore) -> ClickHouseAsker:
    return store.asker()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT * FROM file('/etc/hostname', 'LineAsString') SETTINGS readonly = 0",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM executable('cat', 'LineAsString', 'text String')",
        "INSERT INTO FUNCTION file('{folder}/written', 'CSV', 'number UInt8') SELECT 1",
        "SELECT 1 INTO OUTFILE '{folder}/written'",
        "SELECT 1 INTO OUTFILE '{folder}/written' FORMAT CSV --",
        "SELECT 1) INTO OUTFILE '{folder}/written' FORMAT CSV --",
        "SELECT 1) INTO OUTFILE '{folder}/written' FORMAT CSV /*",
        "SELECT 1) INTO OUTFILE '{folder}/written' FORMAT CSV; (SELECT 1",
        "SET max_threads = 1",
        "SELECT 1 SETTINGS max_threads = 1",
        "SET readonly = 0",
        "TRUNCATE TABLE segments",
    ],
)
def test_reading_reaches_no_file_address_or_setting(sql: str, asker: ClickHouseAsker, tmp_path: Path):
    for ask in (asker.fetch, asker.table):
        with pytest.raises((StoreUnavailable, StoreRefused), match="Code: "):
            ask(sql.replace("{folder}", str(tmp_path)), ())
    assert not (tmp_path / "written").exists()


def test_what_is_read_and_what_is_saved_goes_on_as_ever(asker: ClickHouseAsker):
    asker.put_segment("shop", "phones", {"field": "device", "op": "is", "value": "phone"})
    assert list(asker.segments("shop")) == ["phones"]
    assert asker.fetch("SELECT {p0:String}, count() FROM events -- none", ["it's"]) == [("it's", 0)]
    assert asker.table("SELECT {p0:Int64} + 1 AS one", [1]).to_pylist() == [{"one": 2}]


def test_a_semicolon_in_a_text_is_itself(store: ClickHouseStore, asker: ClickHouseAsker):
    texts = [";", r"\;", r"\\;'", "a; SELECT 1"]
    rows = store.tables["ledger"].aggregate(rows=store.tables["ledger"].count())
    said = asker.compiled(rows.select(**{f"text_{n}": ibis.literal(text) for n, text in enumerate(texts)}))
    assert asker.fetch(said, ()) == [tuple(texts)]
