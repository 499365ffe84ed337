"""Ends a question of ours on the server that works on it, from another connection than the one that waits for it.

Rule of this module: a question is known by a comment of its own, so that no other is ever ended. An engine in this
process takes no id for a query, and no setting where all that is asked is to read; so the text begins with the comment.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from threading import Thread
from uuid import uuid4

from glimpse.errors import GlimpseError
from glimpse.store.clickhouse_client import Place, failures

_AGAIN_AFTER_S = 1.0  # one that comes before the server knows the question ends nothing
_KILL = "KILL QUERY WHERE startsWith(query, {comment:String}) ASYNC"
_SEMICOLON = r"\x3B"


class Killing:
    """What one asker has under way. `end` never blocks."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._comment: str | None = None
        self._told: tuple[str, float] = ("", 0.0)

    @contextlib.contextmanager
    def under_way(self, sql: str) -> Iterator[str]:
        """Give a question a comment: the text as which it is to be asked.

        In parentheses a question can have no `INTO OUTFILE`, which an engine in this process would write; and it is
        one statement, as in a text a semicolon may be written by its number, and elsewhere not.
        """
        self._comment = f"/* glimpse {uuid4().hex} */"
        try:
            yield f"{self._comment} ({sql.replace(';', _SEMICOLON)}\n)"
        finally:
            self._comment = None

    def end(self) -> None:
        """Have the server end what is under way, if anything is."""
        comment = self._comment
        is_told = comment == self._told[0] and time.monotonic() - self._told[1] < _AGAIN_AFTER_S
        if comment is not None and not is_told:
            self._told = comment, time.monotonic()
            Thread(target=self._kill, args=[comment], name="glimpse-kill", daemon=True).start()

    def _kill(self, comment: str) -> None:
        with contextlib.suppress(GlimpseError), failures("the question can't be ended"):  # its time limit ends it
            client = self._place.connect()
            try:
                client.command(_KILL, {"comment": comment})
            finally:
                client.close()
