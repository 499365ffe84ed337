"""The formats in which rows leave: each an encoder that takes tables and gives bytes, a table or two at a time.

Rule of this module: an encoder holds no more than the table it was given last, or a Parquet file's row group.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from glimpse.transfer.memory import give_back_soon
from glimpse.transfer.wanted import PLACE

# What a spreadsheet takes for a formula, its full-width twins too; the quotes before it, so that undoing it is exact.
_FORMULA = r"^('*[=+\-@\t\r\n＝＋－＠])"  # noqa: RUF001 - those are what is meant
_DEFUSED = r"^'('*[=+\-@\t\r\n＝＋－＠])"  # noqa: RUF001 - likewise


# Arrow's own pool keeps what was let go of, some 10 MB of an export.
pa.set_memory_pool(pa.system_memory_pool())
give_back_soon()


class Encoder:
    """Rows to bytes. `add` each table, the first may be empty; then `end`."""

    def add(self, table: Any) -> bytes:
        """Return the bytes of a table, with the head before the first."""
        raise NotImplementedError

    def end(self) -> bytes:
        """Return what comes after the last table."""
        return b""


class _Json(Encoder):
    """One array of objects, a row a line."""

    def __init__(self) -> None:
        self._before = b"["

    def add(self, table: Any) -> bytes:
        texts = table["row"].to_pylist()
        if not texts:
            return b""
        before, self._before = self._before, b",\n"
        return before + ",\n".join(texts).encode()

    def end(self) -> bytes:
        return b"[]" if self._before == b"[" else b"]"


class _Ndjson(Encoder):
    """One object a line."""

    def add(self, table: Any) -> bytes:
        texts = table["row"].to_pylist()
        return ("\n".join(texts) + "\n").encode() if texts else b""


class _Sink(io.RawIOBase):
    """A file that is emptied after each table, and knows how much went through."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class _Piped(Encoder):
    """An encoder of Arrow's that writes to a file."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._writer: Any = None

    def add(self, table: Any) -> bytes:
        table = self._prepared(table.drop_columns(PLACE))
        if self._writer is None:
            self._writer = self._opened(self._sink, table.schema)
        if table.num_rows:
            self._writer.write_table(table)
        return self._sink.take()

    def end(self) -> bytes:
        if self._writer is not None:
            self._writer.close()
        return self._sink.take()

    def _prepared(self, table: Any) -> Any:
        return table

    def _opened(self, sink: io.RawIOBase, schema: Any) -> Any:
        raise NotImplementedError


class _Csv(_Piped):
    """RFC 4180 in UTF-8; NULL is nothing, an empty text is ""; times are UTC."""

    def _prepared(self, table: Any) -> Any:
        return defused(table)

    def _opened(self, sink: io.RawIOBase, schema: Any) -> Any:
        return pa_csv.CSVWriter(sink, schema)


_ROWS_A_GROUP = 15_000


class _Parquet(_Piped):
    """Parquet, compressed. What is known of each row group is kept to the end: so of times only, and in fewer groups.

    Texts are written as they are: zstd finds what repeats in so few rows better than a dictionary's packed numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self._group: list[Any] = []  # tables

    def add(self, table: Any) -> bytes:
        self._group.append(table)
        return self._written() if sum(table.num_rows for table in self._group) >= _ROWS_A_GROUP else b""

    def end(self) -> bytes:
        return self._written() + super().end()

    def _written(self) -> bytes:
        group, self._group = self._group, []
        return super().add(pa.concat_tables(group)) if group else b""

    def _opened(self, sink: io.RawIOBase, schema: Any) -> Any:
        times: Any = [field.name for field in schema if pa.types.is_timestamp(field.type)]
        return pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=False, write_statistics=times)


class _Arrow(_Piped):
    """Arrow's IPC stream."""

    def _opened(self, sink: io.RawIOBase, schema: Any) -> Any:
        return pa.ipc.new_stream(sink, schema)


replaced: Any = pc.__dict__["replace_substring_regex"]  # made at run time, so checkers know nothing of it


def defused(table: Any) -> Any:
    """Return a table whose texts no spreadsheet takes for formulas: a quote is put before them."""
    columns = [
        replaced(column, _FORMULA, r"'\1") if pa.types.is_string(column.type) else column for column in table.columns
    ]
    return pa.table(columns, schema=table.schema)


def restored(table: Any) -> Any:
    """Return a table of texts as it was before `defused`."""
    return pa.table([replaced(one, _DEFUSED, r"\1") for one in table.columns], names=table.column_names)


class Format(NamedTuple):
    """One format: how it is called in HTTP, the end of a file's name, and whether its rows are JSON texts.

    `rows_at_once` is how many are encoded together where more would only take more memory; None: all of a table.
    """

    media_type: str
    suffix: str
    encoder: type[Encoder]
    is_json: bool = False
    rows_at_once: int | None = None


FORMATS = {
    "json": Format("application/json; charset=utf-8", ".json", _Json, is_json=True, rows_at_once=1000),
    "ndjson": Format("application/x-ndjson; charset=utf-8", ".ndjson", _Ndjson, is_json=True, rows_at_once=1000),
    "csv": Format("text/csv; charset=utf-8; header=present", ".csv", _Csv, rows_at_once=1000),
    "parquet": Format("application/vnd.apache.parquet", ".parquet", _Parquet),
    "arrow": Format("application/vnd.apache.arrow.stream", ".arrows", _Arrow, rows_at_once=2000),
}
