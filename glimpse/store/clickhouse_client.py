"""ClickHouse as a driver: which one an address names, what is set for every session, and what its failures mean.

Rule of this module: nobody else names an exception of the driver.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from glimpse.errors import QueryTooSlow, SettingsError, StoreLocked, StoreRefused, StoreUnavailable

SERVER, SECURE_SERVER, IN_PROCESS = "clickhouse", "clickhouses", "clickhouse+chdb"
FOLDER_NAME = "clickhouse"  # in the data folder, of an engine in this process
# What makes answers equal to DuckDB's: rows that were replaced are not seen, what a join does not find is null, and
# nothing is in this machine's time zone.
SETTINGS: Mapping[str, Any] = {
    "final": 1,
    "join_use_nulls": 1,
    "session_timezone": "UTC",
    "aggregate_functions_null_for_empty": 1,
    "max_query_size": 16_777_216,
    "do_not_merge_across_partitions_select_final": 1,  # a row's versions have one time, and so one partition
}
_CONNECT_WITHIN_S = 5
_ANSWER_WITHIN_S = 60
_ENDED = frozenset({159, 160, 394})  # TIMEOUT_EXCEEDED, TOO_SLOW, QUERY_WAS_CANCELLED
# A value that no column can hold: CANNOT_PARSE_…, TYPE_MISMATCH, ARGUMENT_OUT_OF_BOUND, INCORRECT_DATA, and their like.
_REFUSED = frozenset({6, 25, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 131, 321, 349, 376, 407, 441, 636})
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)  # what fails is raised, and said once


class Place(NamedTuple):
    """Where a ClickHouse is: arguments of the driver, and how people name it."""

    arguments: Mapping[str, Any]
    named: str

    @property
    def is_in_process(self) -> bool:
        """Whether it is an engine in this process, which has no users and so no rights either."""
        return self.arguments["interface"] == "chdb"

    @classmethod
    def read(cls, url: str, data_dir: Path) -> Place:
        """Return what an address means.

        Raises
        ------
        SettingsError
            When it is none.
        """
        parts = urlsplit(url)
        if parts.scheme == IN_PROCESS:
            folder = Path(unquote(parts.path)) if parts.path.strip("/") else data_dir / FOLDER_NAME
            return cls({"interface": "chdb", "path": str(folder.resolve())}, f"{folder} (ClickHouse in this process)")
        if parts.scheme not in (SERVER, SECURE_SERVER) or not parts.hostname:
            raise SettingsError(f"GLIMPSE_STORE_URL is no address of a ClickHouse: {parts.scheme}://…")
        is_secure = parts.scheme == SECURE_SERVER
        port = parts.port or (8443 if is_secure else 8123)
        database = parts.path.strip("/") or "default"
        arguments = {
            "host": parts.hostname,
            "port": port,
            "username": unquote(parts.username or "default"),
            "password": unquote(parts.password or ""),
            "database": database,
            "interface": "https" if is_secure else "http",
            "connect_timeout": _CONNECT_WITHIN_S,
            "send_receive_timeout": _ANSWER_WITHIN_S,
            "query_retries": 0,
            "autogenerate_session_id": False,  # a session takes one query at a time
            "form_encode_query_params": True,  # a thousand ids don't fit in an address
        }
        return cls(arguments, f"{database} on {parts.hostname}:{port}")

    def connect(self, **settings: Any) -> Any:
        """Return a client of its own for one thread.

        Raises
        ------
        StoreUnavailable
            When it does not answer, or does not let us in.
        StoreLocked
            When another process has the folder.
        """
        with failures(f"ClickHouse can't be reached ({self.named})"):
            return clickhouse_connect.get_client(**self.arguments, settings={**SETTINGS, **settings})

    def connect_to_read(self, **settings: Any) -> Any:
        """Return a client that an engine in this process lets neither write, nor reach files, addresses or settings.

        Raises
        ------
        StoreUnavailable, StoreLocked
            As `connect` does.
        """
        # Last, as no setting can be set after it. A server has rights for that.
        return self.connect(**settings, **({"readonly": 1} if self.is_in_process else {}))


@contextmanager
def failures(doing: str) -> Iterator[None]:
    """Say what a failure of the driver means."""
    try:
        yield
    except (ClickHouseError, OSError) as problem:
        said = f"{doing}: {_first_line(problem)}"
        code: int | None = getattr(problem, "code", None)
        if code in _ENDED:
            raise QueryTooSlow("the question was ended before it was answered") from problem
        if code in _REFUSED:
            raise StoreRefused(said) from problem
        if "Cannot lock file" in str(problem):
            raise StoreLocked(said) from problem
        raise StoreUnavailable(said) from problem


def _first_line(problem: Exception) -> str:
    said = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    return re.sub(r" with url: \S+", "", said)[:400]  # which differs each time, and has the query in it
