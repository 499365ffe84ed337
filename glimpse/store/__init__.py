"""The store: `store.py` says what one is, `duckdb.py` and `clickhouse.py` are, `opening.py` chooses.

`queries.py` says what can be asked, `local.py` and `remote.py` answer; the questions themselves are in `questions/`.

Rule of this package: rows, stream position and ledger change together.
"""

from glimpse.store.duckdb import UNSTORABLE, DuckStore
from glimpse.store.local import LocalQueries
from glimpse.store.opening import open_store
from glimpse.store.queries import Queries
from glimpse.store.questions import QUESTIONS, Question
from glimpse.store.remote import QuerySocket, RemoteQueries
from glimpse.store.rows import make_ready
from glimpse.store.store import Asker, IdsSince, Lot, Store

__all__ = [
    "QUESTIONS",
    "UNSTORABLE",
    "Asker",
    "DuckStore",
    "IdsSince",
    "LocalQueries",
    "Lot",
    "Queries",
    "QuerySocket",
    "Question",
    "RemoteQueries",
    "Store",
    "make_ready",
    "open_store",
]
