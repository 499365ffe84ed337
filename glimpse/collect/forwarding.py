"""What proxies say of the client: which request header counts, and the hops it names, nearest first.

Rule of this module: only text is taken apart here. Whether a hop is believed is `address`' matter. However long a
header is, only its end is read: that is what the nearest proxies wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

X_FORWARDED_FOR = "X-Forwarded-For"
FORWARDED = "Forwarded"

# Each has one address, and is written over by the vendor's own proxies. Whoever comes past those can write it too, so
# they count only where no chain is given; and alone where `GLIMPSE_CLIENT_ADDRESS_HEADER` names one.
SINGLE = (
    "Cf-Connecting-Ip",
    "True-Client-Ip",
    "Fly-Client-Ip",
    "Fastly-Client-Ip",
    "Do-Connecting-Ip",
    "X-Appengine-User-Ip",
    "X-Azure-Clientip",
    "X-Client-Ip",
    "X-Cluster-Client-Ip",
    "X-Real-Ip",
)
ALL = (X_FORWARDED_FOR, FORWARDED, *SINGLE)  # the first that is there counts

_MOST_CHARS = 1024  # some twenty hops
_HIDDEN = str.maketrans(",;=", "???")


def name_in_use(headers: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the first of the headers that is there and not empty, with its text."""
    for name in names:
        if text := headers.get(name):
            return name, end_of(text)
    return None


def end_of(text: str) -> str:
    """Return a header's end, whole hops only; what was cut off stands there as one that nobody knows."""
    return text if len(text) <= _MOST_CHARS else f"unknown,{text[-_MOST_CHARS:].partition(',')[2]}"


def hops(name: str, text: str) -> Iterator[str]:
    """Yield what each proxy said of who asked it, the nearest proxy's word first."""
    if name != FORWARDED:
        yield from reversed(text.split(","))
        return
    for element in reversed(_without_quotes(text).split(",")):
        yield _for(element)


def _without_quotes(text: str) -> str:
    """Return RFC 7239's text with no quotes, nor what would separate in them.

    It is read from the right: what a stranger wrote, to the left, can then open no quote that hides a proxy's words.
    """
    if "\\" in text:
        return ""  # no node has one; it could pass a closing quote off as a character
    pieces = text.split('"')
    pieces[-2::-2] = [piece.translate(_HIDDEN) for piece in pieces[-2::-2]]
    return "".join(pieces)


def _for(element: str) -> str:
    """Return the node of one element; "" when it names none, or two."""
    pairs = [pair.partition("=") for pair in element.split(";")]
    nodes = [value for name, _, value in pairs if name.strip().lower() == "for"]
    return nodes[0] if len(nodes) == 1 else ""
