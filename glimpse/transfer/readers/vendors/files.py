"""Files of other trackers, found out by their head and read row by row: a CSV, packed or not, or a zip of them.

Rule of this module: a row with a fault is told, and the others are kept.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from glimpse.errors import TransferError
from glimpse.events import Event, ImportedTotal
from glimpse.transfer.readers.files import Fault, Found
from glimpse.transfer.readers.vendors import goatcounter, plausible, umami
from glimpse.transfer.readers.vendors.facts import Row


class LeftOut(NamedTuple):
    """A row that is sound but not wanted: a bot's."""

    line: int


class Reader(Protocol):
    """Reads the rows of one table."""

    def read(self, row: Row) -> Sequence[Event | ImportedTotal]:
        """Return a row as records of ours, none when it is left out; a fault is a `ValueError`."""
        ...


class Vendor(NamedTuple):
    """One who exports: the columns that its tables have at least, and what reads them for a project."""

    needs: frozenset[str]
    reader: Callable[[str], Reader]


VENDORS = {
    "umami": Vendor(umami.NEEDS, umami.Umami),
    "goatcounter": Vendor(goatcounter.NEEDS, goatcounter.GoatCounter),
    "plausible": Vendor(plausible.NEEDS, plausible.Plausible),
}
ENDINGS = (".csv", ".csv.gz", ".zip")


def vendor_of(path: Path) -> str | None:
    """Return whose export a file is, by the head of its first table that is known; None when it is nobody's."""
    if not path.name.endswith(ENDINGS):
        return None
    with _readable(path):
        for _, file in _tables(path):
            head = set(_Rows(file).head)
            if found := next((name for name, vendor in VENDORS.items() if vendor.needs <= head), None):
                return found
    return None


def read_rows(path: Path, name: str, project: str) -> Iterator[Found | Fault | LeftOut]:
    """Return the rows of a vendor's file, of each of its tables that has the columns.

    Raises
    ------
    TransferError
        When there is no such table, or the file as a whole can't be read.
    """
    vendor = VENDORS[name]
    is_known = False
    with _readable(path):
        for table, file in _tables(path):
            rows = _Rows(file)
            if vendor.needs <= set(rows.head):
                is_known = True
                yield from _read(rows, vendor.reader(project), f"{table}: " if path.suffix == ".zip" else "")
    if not is_known:
        raise TransferError(f"{path} is no export of {name}: it has no table with {', '.join(sorted(vendor.needs))}")


def _read(rows: _Rows, reader: Reader, where: str) -> Iterator[Found | Fault | LeftOut]:
    for line, values in rows:
        try:
            if len(values) != len(rows.head):
                raise ValueError(f"it has {len(values)} columns, the head has {len(rows.head)}")
            records = reader.read(dict(zip(rows.head, values, strict=True)))
        except ValueError as problem:
            yield Fault(line, f"{where}{problem}")
        else:
            yield from [Found(line, record, at > 0) for at, record in enumerate(records)] or [LeftOut(line)]


class _Rows:
    """The rows of a table, each with the line that it begins in."""

    def __init__(self, file: IO[str]) -> None:
        self._rows = csv.reader(file)
        self.head = _head_of(next(self._rows, []))

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        line = self._rows.line_num + 1
        for values in self._rows:
            if values:
                yield line, values
            line = self._rows.line_num + 1


def _head_of(names: list[str]) -> list[str]:
    """Return the columns' names; GoatCounter writes its version before the first."""
    return [names[0].lstrip("0123456789,"), *names[1:]] if names else []


def _tables(path: Path) -> Iterator[tuple[str, IO[str]]]:
    if path.suffix != ".zip":
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield path.name, _text(file)
        return
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".csv"):
                with archive.open(name) as file:
                    yield name, _text(file)


def _text(file: Any) -> IO[str]:
    return io.TextIOWrapper(file, "utf-8-sig", newline="")


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, UnicodeError, zipfile.BadZipFile, csv.Error) as problem:
        raise TransferError(f"{path} can't be read: {problem}") from problem
