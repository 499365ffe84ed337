"""Random filters, and random events that meet some of them: both draw from a few values, so that they often meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from glimpse.events import Event, Session
from glimpse.filters import FIELDS, And, Condition, Field, Filter, Kind, Not, Op, Or, Search

BASE = 1_790_000_000_000
IDS = [f"0190c1f3-7a1b-7c3d-9e4f-{number:012x}" for number in range(6)]

# Words with what is special somewhere: to SQL, JSON, patterns, addresses, case.
WORDS = [
    *("", "DE", "de", "/", "/blog", "/blog/a b", "pro", "Pro", "5", "5.0", "true", "null", "2026-01-01", "%", "_"),
    *("'", '"', "\\", "a\nb", "a\tb", "x'; DROP TABLE events; --", '"}', "{}", ":", ",", "é", "É", "ß", "İ", "Σ", "😀"),
    *("${a}", "$.a", "?", "\\d", "*", "\x01", "\x7f", "\u2028", "a" * 50),
]
KEYS = ["plan", "a.b", "a b", "$x", "*", "0", '"', "'", "ünï", "[0]", "nested", "#", "?", "%", "and", "in"]
PATTERNS = ["", ".", "^/blog", "a.b", "(?i)PRO", "[A-Z]+$", r"^\d", r"\pL", "x|y", "'", '"', "(?s)a.b", r"\\"]
texts = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
# A little more than a float can tell apart at the end, and what SQL writes in other ways.
NUMBERS = [0, 1, -1, 5, 5.5, 0.1, 1e-7, 1e15, 1e16, 2**53 + 1.0, 1e300, -1.5e-300, 5e-324, 1.7976931348623157e308]
numbers = st.sampled_from(NUMBERS) | st.integers(-10, 10) | st.floats(allow_nan=False, allow_infinity=False)
flags = st.booleans()
moments = st.integers(BASE - 3, BASE + 3) | st.sampled_from(
    ["2026-09-21T14:13:20Z", "2026-09-21T16:13:20.001+02:00", "2026-09-21"]
)
plain = texts | numbers | flags
keys = st.sampled_from(KEYS)

_VALUES = {Kind.TEXT: texts, Kind.NUMBER: numbers, Kind.FLAG: flags, Kind.TIME: moments, Kind.JSON: plain}
_TEXT_OPS = [Op.CONTAINS, Op.STARTS_WITH, Op.MATCHES]
_ORDER = [Op.GREATER, Op.GREATER_OR_IS, Op.LESS, Op.LESS_OR_IS, Op.BETWEEN]


@st.composite
def fields(draw: Any) -> Field:
    name = draw(st.sampled_from(sorted(FIELDS)) | st.just("properties"))
    depth = 1 if draw(flags) else 2
    return Field(name, tuple(draw(keys) for _ in range(depth)) if FIELDS[name][0] is Kind.JSON else ())


@st.composite
def conditions(draw: Any) -> Condition:
    field = draw(fields())
    allowed = [Op.IS, Op.IN, Op.EXISTS]
    allowed += _ORDER * (field.kind is not Kind.FLAG) + _TEXT_OPS * (field.kind in (Kind.TEXT, Kind.JSON))
    op = draw(st.sampled_from(allowed))
    return Condition(field, op, draw(values_for(field, op)))


def values_for(field: Field, op: Op) -> st.SearchStrategy[tuple[Any, ...]]:  # noqa: PLR0911 - one for each kind
    one = _VALUES[field.kind]
    if op is Op.EXISTS:
        return st.just(())
    if op is Op.MATCHES:
        return st.tuples(st.sampled_from(PATTERNS))
    if op in _TEXT_OPS:
        return st.tuples(texts)
    if op is Op.IN:
        return st.lists(one, min_size=1, max_size=4).map(tuple)
    pair = op is Op.BETWEEN
    if field.kind is Kind.JSON and op in _ORDER:
        return pairs(texts, pair=pair) | pairs(numbers, pair=pair)
    if field.kind is Kind.TIME and pair:
        return pairs(st.integers(BASE - 3, BASE + 3), pair=True)
    return pairs(one, pair=pair)


def pairs(one: st.SearchStrategy[Any], *, pair: bool) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(one, one) if pair else st.tuples(one)


searches = texts.filter(str.strip).map(Search)
filters: st.SearchStrategy[Filter] = st.recursive(
    conditions() | searches,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items)))
        | inner.map(Not)
    ),
    max_leaves=8,
)

documents = st.dictionaries(
    keys,
    plain
    | st.none()
    | st.lists(st.integers(0, 3), max_size=2)
    | st.integers(2**53, 2**64 - 1)
    | st.dictionaries(keys, plain, max_size=2),
    max_size=3,
)
_ALWAYS = {"id", "project", "session_id", "name", "time", "received_at", "properties", "context", "traits"}
_MAYBE = [name for name in Event.__struct_fields__ if name not in {*_ALWAYS, "lat", "lon"}]


@st.composite
def events(draw: Any, number: int) -> Event:
    facts = draw(st.dictionaries(st.sampled_from(_MAYBE), st.none() | texts, max_size=6))
    if draw(flags):
        facts |= {"lat": draw(numbers), "lon": draw(st.none() | numbers)}
    return Event(
        id=f"0190c1f3-7a1b-7c3d-9e4f-{number + 100:012x}",
        project=draw(st.sampled_from(["shop", "blog"])),
        session_id=draw(st.sampled_from(IDS)),
        name=draw(texts),
        time=draw(st.integers(BASE - 3, BASE + 3)),
        received_at=BASE,
        properties=draw(documents),
        context=draw(documents),
        traits=draw(st.none() | documents),
        **{"channel": "direct"} | {name: value for name, value in facts.items() if name != "channel" or value},
    )


@st.composite
def sessions(draw: Any, pair: tuple[str, str]) -> Session:
    return Session(
        project=pair[0],
        id=pair[1],
        started_at=BASE + draw(st.integers(-3, 0)),
        last_seen_at=BASE + draw(st.integers(0, 9)),
        entry_page=draw(st.none() | texts),
        country=draw(st.none() | texts),
        lat=draw(st.none() | numbers),
        pages=draw(st.integers(0, 5)),
        interactions=draw(st.integers(0, 2)),
        engaged_ms=draw(st.sampled_from([0, 5, 20_000])),
    )


@st.composite
def histories(draw: Any) -> tuple[list[Event], list[Session]]:
    stored = [draw(events(number)) for number in range(draw(st.integers(1, 6)))]
    known = sorted({(event.project, event.session_id) for event in stored if draw(flags)})
    return stored, [draw(sessions(pair)) for pair in known]
