"""`glimpse export` and `glimpse import`: beside the process that owns the store, or alone when there is none.

Rule of this module: a file appears when it is whole; a row with a fault is told, and the others are kept.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec
from tqdm import tqdm

from glimpse.clock import steady_now_ms
from glimpse.errors import TransferError
from glimpse.events import Event, ImportedTotal, Session
from glimpse.filters import as_filter, to_json
from glimpse.moments import moment
from glimpse.settings import Settings
from glimpse.store.questions import LAST_MS
from glimpse.store.segments import Segment
from glimpse.store.upkeep import Taken
from glimpse.store_doors import inlet_of, outlet_of, queries_of
from glimpse.transfer import FORMATS, ROWS_A_BITE, Format, Inlet, Outlet, Wanted
from glimpse.transfer.readers import Fault, Found, LeftOut, most_rows, read_file, read_rows, vendor_of
from glimpse.wire.claim import is_project

_MOST_FAULTS_SHOWN = 20
_SEGMENTS = "segments.json"  # of a back-up
_BACK_UP = ("events", "sessions", "imported_totals")  # events first: what they make gives way to those that were kept


async def _wanted_of(settings: Settings, options: argparse.Namespace) -> Wanted:
    """Return what an export's options ask for."""
    where, now = as_filter(options.where), steady_now_ms()
    if options.segment:
        async with queries_of(settings) as queries:
            where = await queries.filter_for(options.project, where, options.segment)
    return Wanted(
        table="sessions" if options.is_sessions else "events",
        project=options.project,
        where=None if where is None else to_json(where),
        has_layers=True,
        since=moment(options.since, "--since", now) if options.since else 0,
        until=moment(options.until, "--until", now) if options.until else LAST_MS,
    )


async def export(settings: Settings, options: argparse.Namespace) -> str:
    """Write the rows that the options ask for to a file; return what to print."""
    file: Path = options.to
    form, wanted = _format_of(file), await _wanted_of(settings, options)
    async with outlet_of(settings) as outlet:
        (rows,) = await _write(outlet, [wanted], [file], form, of_one_moment=False)
    return f"{file}: {rows:,} {wanted.table}"


async def back_up(settings: Settings, folder: Path) -> str:
    """Write all that is stored to a folder, as of one moment; return what to print."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    wanted = [Wanted(table=table, has_layers=True) for table in _BACK_UP]
    files = [folder / f"{table}.parquet" for table in _BACK_UP]
    async with outlet_of(settings) as outlet:
        counts = await _write(outlet, wanted, files, FORMATS["parquet"], of_one_moment=True)
    async with queries_of(settings) as queries:
        saved = await queries.every_segment()
    await asyncio.to_thread((folder / _SEGMENTS).write_bytes, msgspec.json.format(msgspec.json.encode(saved)))
    told = ", ".join(f"{rows:,} {table}" for table, rows in zip(_BACK_UP, counts, strict=True))
    told += f", {len(saved):,} segments"
    return f"{folder}: {told}; `glimpse import {folder}` takes them in again"


async def bring(
    settings: Settings, paths: Sequence[Path], project: str | None = None, vendor: str | None = None
) -> tuple[str, bool]:
    """Take files in; return what to print, and whether every row of theirs was sound.

    Parameters
    ----------
    settings
        Where the store is.
    paths
        Files, and folders that a back-up wrote.
    project
        Whose the rows of other trackers' exports are.
    vendor
        Whose exports these are, if their heads are not to say it.
    """
    files = [file for path in paths for file in _files_of(path)]
    told: list[str] = []
    is_whole = True
    async with inlet_of(settings) as inlet:
        for file in files:
            count = await _Import(inlet, file, await asyncio.to_thread(_rows_of, file, project, vendor)).run()
            told += count.told()
            is_whole = is_whole and not count.faults
    for file in (path / _SEGMENTS for path in paths):
        if await asyncio.to_thread(file.exists):
            told.append(f"{file}: {await _bring_segments(settings, file):,} segments are taken over")
    return "\n".join(told), is_whole


async def _bring_segments(settings: Settings, file: Path) -> int:
    try:
        saved = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=list[Segment])
    except msgspec.DecodeError as problem:
        raise TransferError(f"{file} can't be read: {problem}") from None
    async with queries_of(settings) as queries:
        for one in saved:
            await queries.save_segment(one.project, one.name, one.filter)
    return len(saved)


def _format_of(file: Path) -> Format:
    for form in FORMATS.values():
        if file.name.endswith(form.suffix):
            return form
    raise TransferError(
        f"{file}: say by its ending which format it is to be: {', '.join(f.suffix for f in FORMATS.values())}"
    )


async def _write(
    outlet: Outlet, wanted: Sequence[Wanted], files: Sequence[Path], form: Format, *, of_one_moment: bool
) -> list[int]:
    asked = [msgspec.structs.replace(one, as_json=form.is_json) for one in wanted]
    counts = [0] * len(files)
    encoders = [form.encoder() for _ in files]
    with _whole_files(files) as opened:
        async with outlet.flow(asked, of_one_moment=of_one_moment) as flow:
            with tqdm(total=sum(flow.totals), unit=" rows", dynamic_ncols=True) as bar:
                async for number, table in flow.tables:
                    opened[number].write(await asyncio.to_thread(encoders[number].add, table))
                    counts[number] += table.num_rows
                    bar.update(table.num_rows)
        for file, encoder in zip(opened, encoders, strict=True):
            file.write(encoder.end())
    return counts


@contextmanager
def _whole_files(files: Sequence[Path]) -> Iterator[list[IO[bytes]]]:
    """Open files under other names, which they lose when all are whole."""
    parts = [file.with_name(f".{file.name}.part") for file in files]
    opened: list[IO[bytes]] = []
    try:
        opened += [part.open("wb") for part in parts]
        yield opened
        for file in opened:
            file.close()
        for part, file in zip(parts, files, strict=True):
            part.replace(file)
    except OSError as problem:
        raise TransferError(f"it can't be written: {problem}") from problem
    finally:
        for file in opened:
            file.close()
        for part in parts:
            part.unlink(missing_ok=True)


def _files_of(path: Path) -> list[Path]:
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}")
    if not path.is_dir():
        return [path]
    found = [file for table in _BACK_UP for file in sorted(path.glob(f"{table}.*"))]
    if not found:
        raise TransferError(f"{path} has no {' and no '.join(f'{table}.parquet' for table in _BACK_UP)}")
    return found


def _rows_of(file: Path, project: str | None, vendor: str | None) -> Iterator[Found | Fault | LeftOut]:
    vendor = vendor or vendor_of(file)
    if vendor is None:
        return read_file(file)
    if project is None or not is_project(project):
        raise TransferError(f"{file} is an export of {vendor}: say with --project whose it is to be")
    return read_rows(file, vendor, project)


class _Import:
    """One file on its way in."""

    def __init__(self, inlet: Inlet, file: Path, rows: Iterator[Found | Fault | LeftOut]) -> None:
        self._inlet, self._file, self._rows = inlet, file, rows
        self._waiting: list[Found] = []
        self.new = self.known = self.left_out = 0
        self.faults: list[Fault] = []

    async def run(self) -> _Import:
        total = await asyncio.to_thread(most_rows, self._file)
        with tqdm(total=total, unit=" rows", dynamic_ncols=True, desc=self._file.name) as bar:
            for row in self._rows:
                bar.update(not (isinstance(row, Found) and row.is_more))
                if isinstance(row, LeftOut):
                    self.left_out += 1
                    continue
                if isinstance(row, Fault):
                    self.faults.append(row)
                    continue
                self._waiting.append(row)
                if len(self._waiting) >= ROWS_A_BITE:
                    await self._take()
            await self._take()
        return self

    async def _take(self) -> None:
        found, self._waiting = self._waiting, []
        takes: dict[type, Callable[[Any], Awaitable[Taken]]] = {
            Event: self._inlet.take_events,
            Session: self._inlet.take_sessions,
            ImportedTotal: self._inlet.take_totals,
        }
        for kind, take in takes.items():
            if mine := [row for row in found if type(row.record) is kind]:
                taken = await take([row.record for row in mine])
                self.new += taken.new
                self.known += taken.known
                self.faults += [Fault(mine[at].line, reason) for at, reason in taken.refused]

    def told(self) -> list[str]:
        faults = sorted(self.faults)
        lines = [f"{self._file}: {self.new:,} rows are new, {self.known:,} were there, {len(faults):,} have a fault"]
        lines += [f"  {self.left_out:,} rows of bots were left out"] if self.left_out else []
        lines += [f"  line {fault.line}: {fault.reason}" for fault in faults[:_MOST_FAULTS_SHOWN]]
        if len(faults) > _MOST_FAULTS_SHOWN:
            lines.append(f"  and {len(faults) - _MOST_FAULTS_SHOWN:,} more")
        return lines
