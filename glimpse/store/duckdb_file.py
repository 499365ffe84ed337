"""Opening the file of the DuckDB store: what it may do there, its migrations, and what a killed process left beside it.

Rule of this module: a file that is no sound store is left as it is.
"""

from __future__ import annotations

import contextlib
import os
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from glimpse.errors import StoreCorrupt, StoreLocked

FILE_NAME = "glimpse.duckdb"
MEMORY_MB = 512
# With external access off, what reads reaches this file and the folder beside it that DuckDB spills to, and no other.
_CONFIG: dict[str, Any] = {
    "enable_external_access": False,
    "preserve_insertion_order": False,
    "threads": 2,
    # When the log moves into the file, the last group of rows there (122,880) is written anew: DuckDB's own 16 MB, some
    # 30,000 events, had each written four times. Opening with a log as large as this takes half a second.
    "wal_autocheckpoint": "64MB",
    # What has been let go of goes back to the system at once; DuckDB's own thresholds keep a hundred MB and more.
    "allocator_flush_threshold": "1MB",
    "allocator_bulk_deallocation_flush_threshold": "1MB",
}


def open_file(data_dir: Path, memory_mb: int) -> tuple[duckdb.DuckDBPyConnection, Path]:
    """Open or make the file in a folder, bring its tables up to date, and return it with its path.

    Raises
    ------
    StoreLocked, StoreCorrupt
        As `DuckStore.open` does.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / FILE_NAME
    try:
        connection = duckdb.connect(os.fspath(path), config=_CONFIG | {"memory_limit": f"{memory_mb}MB"})
    except duckdb.Error as problem:
        if isinstance(problem, duckdb.IOException) and "set lock on file" in str(problem):
            raise StoreLocked(f"{path} is open in another process: {problem}") from problem
        raise corrupt(path, problem) from problem
    try:
        _forget_spilled(path)
        _migrate(connection)
    except duckdb.Error as problem:
        connection.close()
        raise corrupt(path, problem) from problem
    return connection, path


def corrupt(path: Path, problem: Exception) -> StoreCorrupt:
    """Return what to raise when a file is no sound store."""
    return StoreCorrupt(
        f"{path} can't be opened as a store; it was left as it is. Move it away or restore a copy. ({problem})"
    )


def _forget_spilled(path: Path) -> None:
    """Delete what a process that was killed left of its questions: rows lie in it that may be too old to be kept."""
    for left in path.with_name(f"{path.name}.tmp").glob("duckdb_temp_*"):
        with contextlib.suppress(OSError):
            left.unlink()


def _migrate(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL)")
    done = {number for (number,) in connection.execute("SELECT number FROM migrations").fetchall()}
    for name, sql in _migrations():
        number = int(name.split("_", 1)[0])
        if number not in done:
            connection.begin()
            connection.execute(sql)
            connection.execute("INSERT INTO migrations VALUES (?, ?)", [number, name])
            connection.commit()


def _migrations() -> list[tuple[str, str]]:
    folder = resources.files("glimpse.store") / "migrations" / "duckdb"
    return sorted((item.name, item.read_text()) for item in folder.iterdir() if item.name.endswith(".sql"))
