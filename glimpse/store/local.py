"""Answers in the process that owns the store."""

from __future__ import annotations

from typing import Any

from glimpse.errors import QueryError
from glimpse.filters import Where, as_filter, to_json
from glimpse.store.accounts import Account, accounts_of
from glimpse.store.queries import Accounts, Queries
from glimpse.store.questions import ALL_PROJECTS, LAST_MS, QUESTIONS, Scope, Tables
from glimpse.store.readers import Readers
from glimpse.store.rows import as_record
from glimpse.store.segments import Segment, check_name
from glimpse.store.store import Asker, Store

_LEDGER_TRIES = 5
_READERS = 4  # questions at once
TIME_LIMIT_S = 30.0


class LocalQueries(Queries):
    """Asks the store on threads of its own, off the event loop."""

    def __init__(self, store: Store, buffer: Accounts, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._tables = Tables(store.tables["events"], store.tables["sessions"], store.tables["imported_totals"])
        self._buffer = buffer
        self._readers = Readers([store.asker() for _ in range(_READERS)], time_limit_s)
        self._may_prepare = False

    def close(self) -> None:
        """End what is under way, and take no more."""
        self._readers.close()

    async def ask(
        self,
        question: str,
        *,
        project: str = ALL_PROJECTS,
        since: int = 0,
        until: int = LAST_MS,
        where: Where | None = None,
        segment: str | None = None,
        **arguments: Any,
    ) -> list[dict[str, Any]]:
        """Return the rows that answer a question."""
        if question not in QUESTIONS:
            raise QueryError(f"there is no question {question[:64]!r}; there are {', '.join(QUESTIONS)}")
        scope = Scope(self._tables, project, since, until, await self.filter_for(project, where, segment))
        arguments = await self.with_segments(project, arguments)

        def answer(asker: Asker) -> list[dict[str, Any]]:
            return [as_record(row) for row in asker.answer(QUESTIONS[question], scope, arguments)]

        self._may_prepare = True
        return await self._readers.run(answer)

    async def compile_ahead(self) -> None:
        """Prepare for what is likely to be asked next, where nobody waits for an answer."""
        if self._may_prepare and self._readers.is_idle:
            self._may_prepare = await self._readers.run(lambda asker: asker.compile_ahead())

    async def segments(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the saved filters that can be used for a project."""
        return await self._readers.run(lambda asker: asker.segments(project))

    async def every_segment(self) -> list[Segment]:
        """Return the saved filters of all projects."""
        return await self._readers.run(lambda asker: asker.every_segment())

    async def save_segment(self, project: str, name: str, where: Where | None) -> None:
        """Give a filter a name in a project, or take the name away."""
        check_name(name)
        kept = as_filter(where)
        await self._readers.run(lambda asker: asker.put_segment(project, name, None if kept is None else to_json(kept)))
        self.segment_changes += 1

    async def ledgers(self) -> dict[str, dict[str, Any]]:
        """Return each project's account, and that of all as `*`."""
        tries = 0
        while True:
            positions, settled = await self._readers.run(lambda asker: asker.accounts())
            books = await self._buffer.books(positions)
            tries += 1
            # A commit in between takes events from the buffer to the store: look again.
            if tries == _LEDGER_TRIES or positions == await self._readers.run(lambda asker: asker.positions()):
                return accounts_of(books, settled)

    async def ledger(self, project: str) -> dict[str, Any]:
        """Return the account of every event received."""
        return (await self.ledgers()).get(project) or Account().told()
