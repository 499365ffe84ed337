"""One small language for what to look at: the same filter as text, as Python objects, as JSON and in an address.

`fields.py` is the table of what can be asked about, `tree.py` what a filter is, `expression.py` what it becomes for
Ibis. Rule of this package: every form reads back as the same filter, and every mistake says its place.
"""

from glimpse.filters.fields import FIELDS, Field, Home, Kind, read_field
from glimpse.filters.fluent import field, search
from glimpse.filters.forms import Where, as_filter, from_json, from_url, to_json, to_text, to_url
from glimpse.filters.grammar import parse
from glimpse.filters.rules import Op
from glimpse.filters.tree import And, Condition, Filter, Not, Or, Search

__all__ = [
    "FIELDS",
    "And",
    "Condition",
    "Field",
    "Filter",
    "Home",
    "Kind",
    "Not",
    "Op",
    "Or",
    "Search",
    "Where",
    "as_filter",
    "field",
    "from_json",
    "from_url",
    "parse",
    "read_field",
    "search",
    "to_json",
    "to_text",
    "to_url",
]
