"""Glimpse's own formats, read back: Parquet, Arrow, CSV, JSON and NDJSON, each also packed with gzip.

Rule of this module: a file of any size is read piece by piece.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from glimpse.errors import TransferError
from glimpse.events import Event, ImportedTotal, Session
from glimpse.transfer.formats import restored
from glimpse.transfer.readers.rows import Row, read_event, read_session, read_total

_ROWS_A_PIECE = 5_000


class Fault(NamedTuple):
    """A row that can't be taken: its line, or its number where a format has no lines; and why."""

    line: int
    reason: str


class Found(NamedTuple):
    """A row that can be taken, and its line; or what more there is in the row before, which has been told."""

    line: int
    record: Event | Session | ImportedTotal
    is_more: bool = False


Numbered = tuple[int, Row | Fault]


def read_file(path: Path) -> Iterator[Found | Fault]:
    """Return the rows of a file, one after the other; its name's ending says which format it is.

    Raises
    ------
    TransferError
        When the format is none of these, or the file as a whole can't be read.
    """
    name = path.name.removesuffix(".gz")
    reader = next((read for ending, read in _READERS.items() if name.endswith(ending)), None)
    if reader is None:
        raise TransferError(f"{path} has none of the endings {', '.join(_READERS)}, or one of these and .gz")
    try:
        with _opened(path) as file:
            yield from _records(reader(file))
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as problem:
        raise TransferError(f"{path} can't be read: {problem}") from problem


def _opened(path: Path) -> IO[bytes]:
    if not path.name.endswith(".gz"):
        return path.open("rb")
    return io.BytesIO(gzip.decompress(path.read_bytes())) if ".parquet" in path.name else gzip.open(path)  # pyright: ignore[reportReturnType]


def _records(rows: Iterator[Numbered]) -> Iterator[Found | Fault]:
    for line, row in rows:
        if isinstance(row, Fault):
            yield row
            continue
        try:
            yield Found(line, _reader_of(row)(row))
        except ValueError as problem:
            yield Fault(line, str(problem))


def _reader_of(row: Row) -> Callable[[Row], Event | Session | ImportedTotal]:
    if "dimension" in row:
        return read_total
    return read_session if "started_at" in row else read_event


def _parquet(file: IO[bytes]) -> Iterator[Numbered]:
    yield from _numbered(pq.ParquetFile(file).iter_batches(batch_size=_ROWS_A_PIECE))


def _arrow(file: IO[bytes]) -> Iterator[Numbered]:
    yield from _numbered(pa.ipc.open_stream(file))


def _numbered(batches: Any) -> Iterator[Numbered]:
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _json(file: IO[bytes]) -> Iterator[Numbered]:
    """Read one array, a row a line, as it is exported."""
    return _ndjson(line.removeprefix(b"[").rstrip(b",]\r\n") for line in file)


def _ndjson(lines: Iterable[bytes]) -> Iterator[Numbered]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, decode(line)
            except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
                yield number, Fault(number, f"it is no JSON object: {problem}")


def _csv(file: IO[bytes]) -> Iterator[Numbered]:
    broken: dict[int, str] = {}  # by the number of the row, the head being the first

    def note(row: Any) -> str:
        broken[row.number] = f"it has {row.actual_columns} columns, the head has {row.expected_columns}"
        return "skip"

    head, block = _head(file)
    opened = pa_csv.open_csv(
        io.BufferedReader(_Rest(block, file)),
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=8 * 1024**2),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(head, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    number = line = 2
    for batch in opened:
        for row in restored(pa.Table.from_batches([batch])).to_pylist():
            while number in broken:
                yield line, Fault(line, broken.pop(number))
                number, line = number + 1, line + 1
            yield line, row
            number, line = number + 1, line + 1 + sum(value.count("\n") for value in row.values() if value)
    for reason in broken.values():
        yield line, Fault(line, reason)
        line += 1


def _head(file: IO[bytes]) -> tuple[list[str], bytes]:
    first = file.readline()
    names = pa_csv.read_csv(io.BytesIO(first.removeprefix(b"\xef\xbb\xbf")))
    return list(names.column_names), first


class _Rest(io.RawIOBase):
    """A file again from its beginning, of which a line has been read."""

    def __init__(self, read: bytes, file: IO[bytes]) -> None:
        self._read, self._file = read, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._read[: len(buffer)] or self._file.read(len(buffer))
        self._read = self._read[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


_READERS: dict[str, Callable[[IO[bytes]], Iterator[Numbered]]] = {
    ".parquet": _parquet,
    ".arrows": _arrow,
    ".json": _json,
    ".ndjson": _ndjson,
    ".jsonl": _ndjson,
    ".csv": _csv,
}
