"""Write the generated parts of README and docs: what stands between `<!-- name -->` and `<!-- /name -->`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from glimpse.projects.record import settings_table as project_settings_table
from glimpse.settings import settings_table
from glimpse.store import QUESTIONS, Question
from glimpse.store.questions.question import Told
from glimpse.wire.names import aliases_table


def questions_chapters() -> str:
    """Return a chapter for each question: what it answers, its arguments, its columns."""
    return "\n\n".join(_chapter(question) for question in QUESTIONS.values())


def _chapter(question: Question) -> str:
    text, sections = question.told
    tables = [_table(question, title, told) for title, told in sections.items()]
    return "\n\n".join([f"### {question.name}", text, *tables])


def _table(question: Question, title: str, told: list[Told]) -> str:
    if not told[0].names:
        return told[0].text
    if title == "Returns":
        return _as_table(("column", "what"), [(_code(names), said) for names, said in told])
    return _as_table(("argument", "default", "what"), [(_code(n), _default(question, n), said) for n, said in told])


def _as_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ("---",) * len(head), *rows])


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _default(question: Question, names: list[str]) -> str:
    defaults = [question.defaults.get(name, ...) for name in names]
    return ", ".join("needed" if value is ... else f"`{json.dumps(value)}`" for value in defaults)


CHECKOUT = Path(__file__).parent.parent
PARTS: dict[str, tuple[Path, Callable[[], str]]] = {
    "settings": (CHECKOUT / "README.md", settings_table),
    "project settings": (CHECKOUT / "docs" / "projects.md", project_settings_table),
    "questions": (CHECKOUT / "docs" / "questions.md", questions_chapters),
    "names": (CHECKOUT / "docs" / "names.md", aliases_table),
}


def with_part(text: str, name: str, part: str) -> str:
    """Return a document with one part put in its place."""
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    new, count = place.subn(lambda found: f"{found[1]}{part}\n{found[2]}", text)
    if count != 1:
        raise ValueError(f"the document has {count} places for {name!r}, not one")
    return new


def main() -> int:
    """Write all parts."""
    for name, (document, make) in PARTS.items():
        document.write_text(with_part(document.read_text(encoding="utf-8"), name, make()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
