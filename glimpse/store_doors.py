"""Ways to the store of a data folder, for commands: opened here when nobody has it, else through its owner's sockets.

Rule of this module: a store that is opened here is closed here, whatever happens meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from glimpse.errors import StoreUnavailable
from glimpse.server.ownership import Ownership
from glimpse.settings import Settings
from glimpse.store import LocalQueries, Queries, RemoteQueries, Store, open_store
from glimpse.store.remote import SOCKET_NAME as QUERIES
from glimpse.transfer import SOCKET_NAME, Inlet, LocalInlet, LocalOutlet, Outlet, RemoteInlet, RemoteOutlet
from glimpse.valkey import socket_path

EXPORT_MEMORY_MB = 128


@asynccontextmanager
async def outlet_of(settings: Settings) -> AsyncIterator[Outlet]:
    """Have rows come out of the store.

    Raises
    ------
    StoreUnavailable
        When nothing was ever stored there, or the store can't be opened.
    """
    _see_that_it_is_there(settings)
    # Who exports reads each row once: what more DuckDB held of the file would be for no other question.
    frugal = msgspec.structs.replace(settings, store_memory_mb=min(settings.store_memory_mb, EXPORT_MEMORY_MB))
    async with _alone(frugal) as store:
        if store is None:
            yield RemoteOutlet(socket_path(settings.data_dir, SOCKET_NAME))
            return
        outlet = LocalOutlet(store)
        try:
            yield outlet
        finally:
            outlet.close()


@asynccontextmanager
async def inlet_of(settings: Settings) -> AsyncIterator[Inlet]:
    """Have rows go into the store."""
    async with _alone(settings) as store:
        if store is None:
            async with RemoteInlet(socket_path(settings.data_dir, SOCKET_NAME)) as inlet:
                yield inlet
        else:
            yield LocalInlet(store, asyncio.to_thread)


def _see_that_it_is_there(settings: Settings) -> None:
    if not (settings.store_url or settings.data_dir.exists()):
        raise StoreUnavailable(f"nothing is stored in {settings.data_dir.resolve()}")


class _NoBooks:
    """The accounts of no buffer; nobody asks for the ledger here."""

    async def books(self, after: Mapping[int, str]) -> dict[tuple[str, str, str], int]:
        """Return that nothing was counted and nothing waits."""
        del after
        return {}


@asynccontextmanager
async def queries_of(settings: Settings, *, may_make_folder: bool = False) -> AsyncIterator[Queries]:
    """Have the store answer questions, but those about the buffer's books; raises as `outlet_of` does."""
    if not may_make_folder:
        _see_that_it_is_there(settings)
    async with _alone(settings) as store:
        if store is None:
            yield RemoteQueries(socket_path(settings.data_dir, QUERIES))
            return
        queries = LocalQueries(store, _NoBooks())
        try:
            yield queries
        finally:
            queries.close()


@asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[Store | None]:
    """Open the store if nobody has it; None when a process does, which is to be asked."""
    owner = Ownership(settings.data_dir)
    if not owner.take():
        yield None
        return
    try:
        store = await asyncio.to_thread(open_store, settings)
        try:
            yield store
        finally:
            await asyncio.to_thread(store.close)
    finally:
        owner.give_up()
