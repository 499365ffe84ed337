from __future__ import annotations

from pathlib import Path

from glimpse.views.metrics import FORMULAS

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_tooltips_quote_the_document_word_for_word():
    text = DOCUMENT.read_text("utf-8")
    rows = dict(line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| "))
    assert {name: rows[name] for name in FORMULAS} == FORMULAS
