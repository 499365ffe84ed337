"""Every question that can be asked of the store, by its name.

Each is one function from a `Scope` (project, span, filter) and arguments to an Ibis expression, the same for every
engine. `QUESTIONS` is the one table: what stands in it can be asked here, over the owner's socket, over HTTP and from
Python. Its docstring says its columns, and its signature its arguments.
"""

from glimpse.store.questions.breakdown import breakdown
from glimpse.store.questions.funnel import funnel
from glimpse.store.questions.goals import conversion, goals
from glimpse.store.questions.imported import imported
from glimpse.store.questions.listing import events, journey, projects, sessions
from glimpse.store.questions.outcomes import outcomes
from glimpse.store.questions.paths import entries, exits, paths
from glimpse.store.questions.places import places
from glimpse.store.questions.properties import properties
from glimpse.store.questions.question import Question, plain
from glimpse.store.questions.retention import retention
from glimpse.store.questions.scope import ALL_PROJECTS, LAST_MS, Scope, Tables
from glimpse.store.questions.series import series
from glimpse.store.questions.totals import comparison, totals
from glimpse.store.questions.vitals import vitals, vitals_series

QUESTIONS: dict[str, Question] = {
    function.__name__: Question.of(function)
    for function in (
        events,
        sessions,
        journey,
        projects,
        totals,
        comparison,
        series,
        breakdown,
        properties,
        places,
        entries,
        exits,
        paths,
        funnel,
        retention,
        outcomes,
        vitals,
        vitals_series,
        goals,
        conversion,
        imported,
    )
}

__all__ = ["ALL_PROJECTS", "LAST_MS", "QUESTIONS", "Question", "Scope", "Tables", "plain"]
