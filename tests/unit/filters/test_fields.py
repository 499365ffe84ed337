from __future__ import annotations

from pathlib import Path

import pytest

from glimpse.errors import QueryError
from glimpse.events import Event
from glimpse.filters import FIELDS, Field, Home, read_field
from glimpse.store.rows import SESSION_COLUMNS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "filters.md").read_text(encoding="utf-8")


def test_every_field_is_a_column_and_every_column_of_an_event_a_field():
    columns = {home: {column for _, at, column in FIELDS.values() if at is home} for home in Home}
    assert columns[Home.EVENT] == set(Event.__struct_fields__)
    assert columns[Home.SESSION] <= set(SESSION_COLUMNS)


def test_every_field_is_documented():
    missing = [
        name
        for name, (_, _, column) in FIELDS.items()
        if not any(f"`{shown}`" in DOCUMENT for shown in (name, column, f"{name}.<key>"))
    ]
    assert missing == []


@pytest.mark.parametrize("text", ["country", "session.pages", "properties.plan", 'context."a b".c', 'traits."\\"".d'])
def test_a_field_reads_back_as_it_is_written(text: str):
    assert str(read_field(text)) == text


@pytest.mark.parametrize("key", ["", "a\\b", "a\nb", "\0", "k" * 129])
def test_a_key_that_no_engine_finds_is_refused(key: str):
    with pytest.raises(QueryError, match="a key has 1 to 128 characters"):
        Field("properties", (key,))
