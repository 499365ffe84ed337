"""What can be asked of the store: `Queries` is what the dashboard, the API and notebooks hold.

`local.py` answers in the process that owns the store, `remote.py` from others. The questions are in `questions/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

from glimpse.errors import QueryError
from glimpse.filters import Filter, Where, as_filter, from_json, to_json
from glimpse.store.questions import ALL_PROJECTS, LAST_MS
from glimpse.store.segments import Segment


class Accounts(Protocol):
    """What the ledger asks of the buffer."""

    async def books(self, after: Mapping[int, str]) -> Mapping[tuple[str, str, str], int]:
        """Return events by project, outcome (`waiting`: past the entry that is given for its shard) and reason."""
        ...


class Queries(ABC):
    """What can be asked: any of `glimpse.store.questions.QUESTIONS` by its name, and the ledger.

        await queries.ask("breakdown", project="shop", since=a, until=b, where='country = "DE"', field="page", top=5)

    The answer is a list of rows, snake_case, times as epoch milliseconds UTC, UUIDs as text. The methods below are
    short for questions that are asked often.

    Attributes
    ----------
    segment_changes
        How often saved filters were changed through these queries.
    """

    segment_changes = 0

    @abstractmethod
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
        """Return the rows that answer a question.

        Parameters
        ----------
        question
            Its name in `QUESTIONS`; its function's docstring has its arguments and columns.
        project
            One project; `*` is all.
        since, until
            Epoch milliseconds UTC, `[since, until)`.
        where
            A filter of `glimpse.filters` in any of its forms; sessions are kept for one event that it keeps.
        segment
            The name of a saved filter of the project, or of all projects; what is kept, both it and `where` keep.
        arguments
            Those of the question: plain values; a filter among them may be in any of its forms, or a saved one:
            `{"segment": "buyers"}`, alone or within a filter's JSON.

        Raises
        ------
        QueryError
            When there is no such question or segment, or an argument or filter has a mistake.
        QueryTooSlow
            When it took longer than it may; nothing goes on running.
        """

    @abstractmethod
    async def compile_ahead(self) -> None:
        """Prepare for what is likely to be asked next, where nobody waits for an answer."""

    @abstractmethod
    async def ledgers(self) -> dict[str, dict[str, Any]]:
        """Return each project's account, and that of all as `*`: of one moment, so that they add up."""

    @abstractmethod
    async def ledger(self, project: str) -> dict[str, Any]:
        """Return the account of every event received; `difference` is 0 when the books balance."""

    @abstractmethod
    async def segments(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the saved filters that can be used for a project: name -> filter as JSON. Those of `*` are for all."""

    @abstractmethod
    async def save_segment(self, project: str, name: str, where: Where | None) -> None:
        """Give a filter a name in a project, in place of one that has it; None takes the name away.

        Raises
        ------
        QueryError
            When the name is not of 1 to 64 characters, or the filter has a mistake.
        """

    @abstractmethod
    async def every_segment(self) -> list[Segment]:
        """Return the saved filters of all projects, also of those without an event, and those of `*`."""

    async def segment(self, project: str, name: str) -> Filter:
        """Return a saved filter by its name.

        Raises
        ------
        QueryError
            When there is none; the message has those that there are.
        """
        saved = await self.segments(project)
        if name not in saved:
            known = ", ".join(sorted(saved)) or "none yet"
            raise QueryError(f"there is no segment {name[:64]!r} for {project!r}; there are {known}")
        return from_json(saved[name])

    async def filter_for(self, project: str, where: Where | None = None, segment: str | None = None) -> Filter | None:
        """Return what a filter and a saved one both keep of a project, as one filter; None when neither is given.

        Raises
        ------
        QueryError
            When there is no such segment, or the filter has a mistake.
        """
        kept = as_filter(where)
        if segment is None:
            return kept
        saved = await self.segment(project, segment)
        return saved if kept is None else saved & kept

    async def with_segments(self, project: str, given: Any) -> Any:
        """Return arguments in which each `{"segment": <name>}` is the saved filter's JSON.

        Raises
        ------
        QueryError
            When there is no such segment.
        """
        match given:
            case {"segment": str(name)} if len(given) == 1:
                return to_json(await self.segment(project, name))
            case dict():
                return {key: await self.with_segments(project, one) for key, one in given.items()}
            case list() | tuple():
                return [await self.with_segments(project, one) for one in given]
        return given

    async def events(
        self,
        project: str,
        since: int,
        until: int,
        limit: int = 1000,
        after: str | None = None,
        where: Where | None = None,
    ) -> list[dict[str, Any]]:
        """Return events without signs of life, newest first; `after` is `<time>:<id>` of the row before the page."""
        span: Any = {"project": project, "since": since, "until": until, "where": where}
        return await self.ask("events", **span, limit=limit, after=after)

    async def sessions(
        self, project: str, since: int, until: int, limit: int = 1000, where: Where | None = None
    ) -> list[dict[str, Any]]:
        """Return sessions that started in the span, newest first."""
        return await self.ask("sessions", project=project, since=since, until=until, where=where, limit=limit)

    async def totals(self, project: str, since: int, until: int, where: Where | None = None) -> dict[str, int]:
        """Return counts over a span: events, page_views, sessions, bounces."""
        (counts,) = await self.ask("totals", project=project, since=since, until=until, where=where)
        return counts

    async def projects(self) -> list[str]:
        """Return every project that has events, the most recently active first."""
        return [row["project"] for row in await self.ask("projects")]
