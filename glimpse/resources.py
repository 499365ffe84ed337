"""Where the files that come with Glimpse are: in a checkout, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGED = Path(__file__).parent / "_data"
_CHECKOUT = Path(__file__).parent.parent
# What a wheel holds under _data, and where the same file is in a checkout.
_ROOTS = {"geo": "data/geo", "sdk": "sdk/dist", "demo": "sdk/demo", "glimpse_app.py": "glimpse_app.py"}


def path(name: str) -> Path:
    """Return where a bundled file or folder is.

    Parameters
    ----------
    name
        Its place below one of `geo`, `sdk`, `demo`, such as `geo/places.mmdb`; or `glimpse_app.py`.

    Raises
    ------
    FileNotFoundError
        When it is not there; the message says how it is made.
    """
    root, _, rest = name.partition("/")
    for base in (_PACKAGED / root, _CHECKOUT / _ROOTS[root]):
        found = base / rest if rest else base
        if found.exists():
            return found
    made_by = "npm ci && npm run build, in sdk/" if root == "sdk" else "the checkout or wheel is incomplete"
    raise FileNotFoundError(f"{name} is missing ({made_by})")
