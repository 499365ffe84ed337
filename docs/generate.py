"""Write the generated parts of README and docs: what stands between `<!-- name -->` and `<!-- /name -->`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from glimpse.settings import settings_table

CHECKOUT = Path(__file__).parent.parent
PARTS: dict[str, tuple[Path, Callable[[], str]]] = {
    "settings": (CHECKOUT / "README.md", settings_table),
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
