"""A filter's text cut into words, each with its place."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import NamedTuple

from glimpse.errors import QueryError
from glimpse.filters.fields import UNFIT_KEY, has_keys

MOST_CHARS = 20_000
_WORDS_FOR = {"&": "and", "|": "or", "!": "not", "~": "matches"}  # of other languages' signs
_WORD = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<double>"(?:[^"\\]|\\.)*")
  | (?P<single>'(?:[^']|'')*')
  | (?P<number>[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.]))
  | (?P<name>[A-Za-z_][\w$-]*(?:\.(?:[A-Za-z_$][\w$-]*|"(?:[^"\\]|\\.)*"))*)
  | (?P<sign>!=|<>|==|>=|<=|[=<>(),])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Type(Enum):
    """What a word is."""

    TEXT = "a text"
    NUMBER = "a number"
    NAME = "a name"
    SIGN = "a sign"
    END = "the end"


class Word(NamedTuple):
    """A word, what it means, and the column it starts in, the first being 1."""

    type: Type
    text: str  # as written
    column: int
    value: str | float = ""  # of texts and numbers

    @property
    def end(self) -> int:
        """The column behind it."""
        return self.column + len(self.text)

    @property
    def key(self) -> str:
        """What grammar compares: keywords in small letters, signs as they are; nothing for texts."""
        return self.text.lower() if self.type in (Type.NAME, Type.SIGN) else ""

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 40 else self.text[:40] + "…"
        return "the end" if self.type is Type.END else shown


def words_of(text: str) -> list[Word]:
    """Return a text's words and the end.

    Raises
    ------
    QueryError
        Where something is no word, with the column.
    """
    if len(text) > MOST_CHARS:
        raise QueryError(f"column {MOST_CHARS + 1}: a filter has at most {MOST_CHARS} characters, not {len(text)}")
    words: list[Word] = []
    at = 0
    while at < len(text):
        found = _WORD.match(text, at)
        if not found:
            raise QueryError(f"column {at + 1}: {_what_is_wrong(text, at, words)}")
        if found.lastgroup != "blank":
            words.append(_word(str(found.lastgroup), found[0], at + 1))
        at = found.end()
    return [*words, Word(Type.END, "", len(text) + 1)]


def _word(group: str, text: str, column: int) -> Word:
    match group:
        case "double":
            return Word(Type.TEXT, text, column, _unescaped(text, column))
        case "single":
            return Word(Type.TEXT, text, column, text[1:-1].replace("''", "'"))
        case "number":
            return Word(Type.NUMBER, text, column, float(text))
        case "name":
            return Word(Type.NAME, text, column)
    return Word(Type.SIGN, text, column)


def _unescaped(text: str, column: int) -> str:
    try:
        return json.loads(text, strict=False)
    except ValueError:
        raise QueryError(
            f'column {column}: in double quotes a backslash is written \\\\ and a quote \\";'
            " in single quotes a backslash stands for itself"
        ) from None


def _what_is_wrong(text: str, at: int, before: list[Word]) -> str:
    if text[at] in "\"'":
        return "this text has no closing quote"
    if word := _WORDS_FOR.get(text[at]):
        return f"{text[at]!r} has no meaning here; the word is {word}"
    if before and before[-1].end == at + 1 and has_keys(before[-1].text.partition(".")[0]):
        return f'{UNFIT_KEY}, such as properties."a key"'
    if text[at].isalnum():
        return f'{text[at : at + 20]!r} is no number and no name; a text goes in quotes: "…"'
    return f'{text[at]!r} has no meaning here; a text goes in quotes: "…"'
