"""Names of headers and methods, made once and not for every request."""

from __future__ import annotations

_MOST_KNOWN = 1000


class _Names(dict[bytes, str]):
    """Header names in Http-Header-Case, by how clients write them."""

    def __missing__(self, name: bytes) -> str:
        cased = "-".join(word.capitalize() for word in name.decode("latin-1").split("-"))
        if len(self) < _MOST_KNOWN:
            self[name] = cased
        return cased


class _Methods(dict[bytes, str]):
    """The methods that the parser knows."""

    def __missing__(self, method: bytes) -> str:
        self[method] = method.decode("latin-1")
        return self[method]


NAMES = _Names()
METHODS = _Methods()
