"""What the doctor says of one part: a verdict, what was seen, and the line that mends it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How a part is; only what is wrong makes the doctor's exit code 1."""

    OK = "ok"
    NOTE = "note"
    WRONG = "WRONG"


class Word(NamedTuple):
    """What one look tells."""

    verdict: Verdict
    told: str
    mend: str = ""  # a setting, a proxy's line or a command, as it is to be written


class Finding(NamedTuple):
    """What was found of one part."""

    part: str
    verdict: Verdict
    told: str
    mend: str

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.verdict is not Verdict.WRONG


def ok(told: str) -> Word:
    """Say that a part is as it should be."""
    return Word(Verdict.OK, told)


def note(told: str, mend: str = "") -> Word:
    """Say what may be meant so, and may not."""
    return Word(Verdict.NOTE, told, mend)


def wrong(told: str, mend: str = "") -> Word:
    """Say what is wrong, and what mends it."""
    return Word(Verdict.WRONG, told, mend)
