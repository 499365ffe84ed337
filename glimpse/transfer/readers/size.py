"""How many rows a file has, for a progress bar that knows its end.

Rule of this module: it is a guess that costs little beside the reading, and never too low; what is wrong with a file is
told by whoever reads it.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

_PIECE_BYTES = 1024**2
_TEXTS = (".csv", ".json", ".ndjson", ".jsonl")


def most_rows(path: Path) -> int | None:
    """Return how many rows a file has at most, as its lines say it; None where that can't be told."""
    try:
        if path.name.endswith(".parquet"):
            return pq.read_metadata(path).num_rows
        return _lines(path) if path.name.removesuffix(".gz").endswith((*_TEXTS, ".zip")) else None
    except (OSError, EOFError, pa.ArrowException, zipfile.BadZipFile):
        return None


def _lines(path: Path) -> int:
    """Count the lines of all texts, but for the heads of those that have one."""
    with ExitStack() as opened:
        return sum(_lines_of(file) - (name.endswith((".csv", ".csv.gz"))) for name, file in _texts(path, opened))


def _texts(path: Path, opened: ExitStack) -> Iterator[tuple[str, IO[bytes]]]:
    if path.suffix == ".zip":
        archive = opened.enter_context(zipfile.ZipFile(path))
        for name in archive.namelist():
            if name.endswith(".csv"):
                yield name, opened.enter_context(archive.open(name))
        return
    opens: Any = gzip.open if path.suffix == ".gz" else open
    yield path.name, opened.enter_context(opens(path, "rb"))


def _lines_of(file: IO[bytes]) -> int:
    lines, last = 0, b"\n"
    for piece in iter(partial(file.read, _PIECE_BYTES), b""):
        lines, last = lines + piece.count(b"\n"), piece
    return lines + (not last.endswith(b"\n"))
