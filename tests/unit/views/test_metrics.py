from __future__ import annotations

from pathlib import Path

from glimpse.views.metrics import FORMULAS, FORMULAS_OF_SPANS

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_tooltips_quote_the_document_word_for_word():
    text = DOCUMENT.read_text("utf-8")
    live, of_spans = text.split("| number of a span |")
    for formulas, part in ((FORMULAS, live), (FORMULAS_OF_SPANS, of_spans.split("\n\n")[0])):
        rows = dict(line.strip("| ").split(" | ", 1) for line in part.splitlines() if line.startswith("| "))
        assert {name: rows[name] for name in formulas} == formulas
