"""A filter from its text, by recursive descent.

filter    = all ("or" all)*
all       = one ("and" one)*
one       = "not" one | "(" filter ")" | text | condition
condition = field ["not"] what is said of it
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from glimpse.errors import QueryError
from glimpse.filters.fields import Field, read_field
from glimpse.filters.rules import Op, Value
from glimpse.filters.tree import MOST_DEPTH, And, Condition, Filter, Not, Or, Search
from glimpse.filters.words import Type, Word, words_of

T = TypeVar("T")
_COMPARED = {
    "=": Op.IS,
    "==": Op.IS,
    "is": Op.IS,
    ">": Op.GREATER,
    ">=": Op.GREATER_OR_IS,
    "<": Op.LESS,
    "<=": Op.LESS_OR_IS,
    "contains": Op.CONTAINS,
    "matches": Op.MATCHES,
}
_SAYINGS = "=, !=, >, >=, <, <=, in (…), contains, starts with, matches, between … and …, exists, and not before words"
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "contains", "starts", "matches", "between", "exists"})
_MOST_NESTED = 2 * MOST_DEPTH + 1  # a `not (` is two


def parse(text: str) -> Filter:
    """Return the filter that a text writes, such as `country in ("DE", "FR") and not page starts with "/blog"`.

    Raises
    ------
    QueryError
        At the first mistake, with its column and what is allowed there.
    """
    reader = _Reader(words_of(text))
    found = reader.any_of()
    if reader.word.type is not Type.END:
        raise reader.mistake(f"expected and, or, or the end, found {reader.word}")
    return found


class _Reader:
    """The words of a text, and how far they are read."""

    def __init__(self, words: list[Word]) -> None:
        self._words = words
        self._at = 0
        self._nested = 0

    @property
    def word(self) -> Word:
        return self._words[self._at]

    def mistake(self, message: str, word: Word | None = None) -> QueryError:
        return QueryError(f"column {(word or self.word).column}: {message}")

    def any_of(self) -> Filter:
        return self._joined("or", self._all_of, Or)

    def _all_of(self) -> Filter:
        return self._joined("and", self._one, And)

    def _joined(self, keyword: str, part: Callable[[], Filter], kind: type[And | Or]) -> Filter:
        first = self.word
        items = [part()]
        while self._takes(keyword):
            items.append(part())
        return items[0] if len(items) == 1 else self._sound(lambda: kind(tuple(items)), first)

    def _one(self) -> Filter:
        self._nested += 1
        if self._nested > _MOST_NESTED:
            raise self.mistake(f"a filter nests at most {MOST_DEPTH} deep")
        try:
            return self._inner()
        finally:
            self._nested -= 1

    def _inner(self) -> Filter:
        first = self.word
        if self._takes("not"):
            item = self._one()
            return self._sound(lambda: Not(item), first)
        if self._takes("("):
            found = self.any_of()
            self._need(")")
            return found
        if first.type is Type.TEXT:
            self._at += 1
            return self._sound(lambda: Search(str(first.value)), first)
        return self._condition()

    def _condition(self) -> Filter:
        first = self.word
        if first.type is not Type.NAME or first.key in _KEYWORDS:
            raise self.mistake(f"expected a field, a text to search for in quotes, not, or (, found {first}")
        field = self._sound(lambda: read_field(first.text), first)
        self._at += 1
        opposite = self._takes("not")
        if not opposite and self.word.key in ("!=", "<>"):
            self._at += 1
            return Not(self._said(field, Op.IS, first))
        said, is_opposite = self._saying(field, first)
        return self._sound(lambda: Not(said), first) if opposite or is_opposite else said

    def _saying(self, field: Field, first: Word) -> tuple[Filter, bool]:
        """Return what is said, and whether its opposite is meant."""
        word = self.word
        if op := _COMPARED.get(word.key):
            self._at += 1
            opposite = word.key == "is" and self._takes("not")
            return self._said(field, op, first), opposite
        if self._takes("starts"):
            self._need("with")
            return self._said(field, Op.STARTS_WITH, first), False
        if self._takes("exists"):
            return self._sound(lambda: Condition(field, Op.EXISTS), first), False
        if self._takes("between"):
            least = self._value()
            self._need("and")
            return self._made(field, Op.BETWEEN, (least, self._value()), first), False
        if self._takes("in"):
            return self._made(field, Op.IN, self._list(), first), False
        raise self.mistake(f"expected what is said of {field}: {_SAYINGS}; found {word}")

    def _said(self, field: Field, op: Op, first: Word) -> Filter:
        return self._made(field, op, (self._value(),), first)

    def _made(self, field: Field, op: Op, words: tuple[Word, ...], first: Word) -> Filter:
        values = tuple(_value_of(word) for word in words)
        if op is Op.IN:  # so that a mistake is told at its own value
            for word, value in zip(words, values, strict=True):
                self._sound(partial(Condition, field, op, (value,)), word)
        return self._sound(lambda: Condition(field, op, values), words[0] if words else first)

    def _list(self) -> tuple[Word, ...]:
        self._need("(")
        words = [self._value()]
        while self._takes(","):
            words.append(self._value())
        self._need(")")
        return tuple(words)

    def _value(self) -> Word:
        word = self.word
        if word.type in (Type.TEXT, Type.NUMBER) or word.key in ("true", "false"):
            self._at += 1
            return word
        hint = f'; a text goes in quotes: "{word}"' if word.type is Type.NAME else ""
        hint = "; what is not known is said by not exists" if word.key == "null" else hint
        raise self.mistake(f"expected a text in quotes, a number, true or false, found {word}{hint}")

    def _takes(self, key: str) -> bool:
        if self.word.key != key:
            return False
        self._at += 1
        return True

    def _need(self, key: str) -> None:
        if not self._takes(key):
            raise self.mistake(f"expected {key}, found {self.word}")

    def _sound(self, make: Callable[[], T], word: Word) -> T:
        try:
            return make()
        except QueryError as problem:
            raise self.mistake(str(problem), word) from None


def _value_of(word: Word) -> Value:
    return word.key == "true" if word.type is Type.NAME else word.value
