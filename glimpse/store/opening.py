"""Which store the settings name.

Rule of this module: what an engine needs is imported only where it is the one.
"""

from __future__ import annotations

from importlib.util import find_spec

from glimpse.errors import SettingsError
from glimpse.settings import Settings
from glimpse.store.duckdb import DuckStore
from glimpse.store.duckdb_file import FILE_NAME
from glimpse.store.store import Store

_IN_PROCESS = "clickhouse+chdb"
_NEEDS = {"clickhouse": "clickhouse", "clickhouses": "clickhouse", _IN_PROCESS: "chdb"}  # an extra of the package


def open_store(settings: Settings) -> Store:
    """Open the store that is set: `glimpse.duckdb` in the data folder, or the ClickHouse of `GLIMPSE_STORE_URL`.

    Raises
    ------
    SettingsError
        When the address names no store, or its driver is not installed.
    StoreLocked, StoreCorrupt, StoreUnavailable
        When it can't be opened; the message says why.
    """
    if settings.store_url is None:
        return DuckStore.open(settings.data_dir, settings.store_memory_mb)
    scheme = settings.store_url.partition("://")[0]
    if scheme not in _NEEDS:
        known = ", ".join(f"{name}://…" for name in _NEEDS)
        raise SettingsError(f"GLIMPSE_STORE_URL names no store; there are {known}, and none is DuckDB's file")
    extra = _NEEDS[scheme]
    if not find_spec("clickhouse_connect" if extra == "clickhouse" else "chdb"):
        raise SettingsError(f"GLIMPSE_STORE_URL needs a driver: pip install 'glimpse[{extra}]'")
    from glimpse.store.clickhouse import ClickHouseStore  # noqa: PLC0415 - the driver may not be there

    return ClickHouseStore.open(settings.store_url, settings.data_dir)


def is_shared(settings: Settings) -> bool:
    """Return whether any process may read the store, and not its owner only."""
    return settings.store_url is not None and not settings.store_url.startswith(_IN_PROCESS)


def named(settings: Settings) -> str:
    """Return what the store is called before it is open."""
    if settings.store_url is None:
        return str(settings.data_dir / FILE_NAME)
    return "the ClickHouse of GLIMPSE_STORE_URL"  # an address may have a password in it
