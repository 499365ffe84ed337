"""Each way to break Glimpse can still be applied, and the tests that have to notice are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutations import CHECKOUT, MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_breaks_one_place_and_names_tests_that_there_are(mutation: Mutation):
    assert (CHECKOUT / mutation.path).read_text().count(mutation.text) == 1
    for named in mutation.tests:
        path, _, test = named.partition("::")
        assert (
            f"def {test.partition('[')[0]}" in Path(CHECKOUT / path).read_text() if test else (CHECKOUT / path).exists()
        )
