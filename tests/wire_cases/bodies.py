"""Bodies that hold no event, and compressed ones."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from wire_cases.case import Case, event, kept, refused, text, with_value


def no_events() -> Iterator[Case]:
    yield refused("an empty body", b"", "must be JSON in UTF-8: it is empty")
    yield refused("white space only", b" \r\n", "it is empty")
    for raw, word in (
        ("null", "null: null"),
        ("5", "a number: 5"),
        ('"x"', 'a string: "x"'),
        ("true", "a boolean: true"),
    ):
        yield refused(f"the body {raw}", raw.encode(), f"an event must be an object; it is {word}")
    good = text(event())
    for name, raw in {
        "cut JSON": good[:-1],
        "a cut batch": b"[" + good + b",",
        "two bodies": good + good,
        "lines of JSON": good + b"\n" + good,
        "a comma at the end": b"[" + good + b",]",
        "single quotes": good.replace(b'"', b"'"),
        "a comment": b"/**/" + good,
        "a raw NUL": with_value('"a\0b"'),
        "a raw line feed in a string": with_value('"a\nb"'),
        "a form": b"projectId=shop&event=x",
        "XML": b"<event/>",
        "only a byte order mark": b"\xef\xbb\xbf",
        "random bytes": bytes(range(256)),
    }.items():
        yield refused(name, raw, ": the body must be JSON in UTF-8: ")
    for name, raw in {
        "arrays": b"[" * 100_000,
        "objects": b'{"a":' * 100_000,
        "events": b'{"events":[' * 40_000,
    }.items():
        yield refused(f"100,000 nested {name}", raw, "it is nested too deeply")
    closed = b'{"properties":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    yield refused("100,000 nested and closed", closed, "it is nested too deeply")


def compression() -> Iterator[Case]:
    zipped = gzip.compress(text(event()), mtime=0)
    for named in ("gzip", "x-gzip", " GZip "):
        yield kept(f"encoding {named!r}", zipped, Content_Encoding=named)
    for named in ("", "identity"):
        yield kept(f"encoding {named!r}", event(), Content_Encoding=named)
    yield kept(
        "a byte order mark within gzip",
        gzip.compress(b"\xef\xbb\xbf" + text(event()), mtime=0),
        Content_Encoding="gzip",
    )
    for named in ("deflate", "br", "zstd", "gzip, gzip", "x"):
        yield refused(
            f"encoding {named}",
            zipped,
            f'Content-Encoding must be gzip or none; it is "{named}"',
            Content_Encoding=named,
        )
    yield refused("gzip that is not named", zipped, "it looks like gzip, which Content-Encoding has to say")
    yield refused(
        "gzip that is none", event(), "the body is not gzip, as Content-Encoding says", Content_Encoding="gzip"
    )
    for name, raw in {
        "cut off": zipped[:-1],
        "cut short": zipped[:12],
        "empty": b"",
        "of two members": gzip.compress(b"[", mtime=0) + gzip.compress(b"]", mtime=0),
        "with more behind it": zipped + b"more",
    }.items():
        yield refused(f"gzip {name}", raw, "the gzip body is cut off, or more follows its end", Content_Encoding="gzip")
    yield refused(
        "gzip with a wrong sum", zipped[:-6] + b"\0\0\0\0\0\0", "the body is not gzip", Content_Encoding="gzip"
    )
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]", mtime=0)
    yield refused("a gzip bomb", bomb, "more than 1048576 bytes when inflated", status=413, Content_Encoding="gzip")
