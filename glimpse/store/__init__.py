"""The store: `duckdb.py` writes, `queries.py` asks, `remote.py` asks for other processes.

Rule of this package: one process owns the file; rows, stream position and ledger change in one transaction.
"""

from glimpse.store.duckdb import UNSTORABLE, DuckStore, Lot
from glimpse.store.queries import LocalQueries, Queries
from glimpse.store.remote import QuerySocket, RemoteQueries

__all__ = ["UNSTORABLE", "DuckStore", "LocalQueries", "Lot", "Queries", "QuerySocket", "RemoteQueries"]
