"""What docs/proxy.md says of headers is what the code reads, in that order."""

from __future__ import annotations

import re
from pathlib import Path

from glimpse.collect.forwarding import ALL
from glimpse.settings import Settings

TEXT = (Path(__file__).parents[2] / "docs" / "proxy.md").read_text(encoding="utf-8")


def test_every_header_that_counts_is_listed_in_its_order():
    listed = TEXT.partition("The first of these headers that is there counts:")[2].partition("Why so late")[0]
    named = [name.lower() for name in re.findall(r"`([A-Z][A-Za-z-]+)`", listed)]
    assert [*dict.fromkeys(named)] == [name.lower() for name in ALL]


def test_the_default_of_the_trusted_proxies_is_quoted():
    assert f"`{','.join(Settings().trusted_proxies)},10.0.3.0/24`" in TEXT
