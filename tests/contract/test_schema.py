"""The published schema says what the edge takes, and what the tracker's types say."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from serving import CHECKOUT, Served
from wire_cases import CASES, NOW, Case

from glimpse.collect.schema import schema_of
from glimpse.settings import Settings
from glimpse.traffic.journeys import plan_journey
from glimpse.traffic.tracker import Tracker
from glimpse.traffic.visitors import Crowd
from glimpse.wire import read_events
from glimpse.wire.claim import CONTEXT_TYPES, WireEvent

SCHEMA = schema_of(Settings())
DEFS = SCHEMA["$defs"]
VALIDATOR = Draft202012Validator(SCHEMA)
# What only the edge can tell, as the schema's description says.
BEYOND_A_SCHEMA = re.compile(r"24 h ahead|\d bytes|nested \d+ deep|2\^64|twice|gzip")


def parsed(case: Case) -> tuple[bool, Any]:
    """Tell whether a body is JSON, strictly, and what it holds."""
    try:
        is_packed = case.headers.get("Content-Encoding") == "gzip"
        text = (gzip.decompress(case.body) if is_packed else case.body).decode("utf-8-sig")
        return True, json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, OSError, EOFError, RecursionError):
        return False, None


def _refuse(word: str) -> None:
    raise ValueError(word)


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(text)
    return float(text)


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("case", [case for case in CASES if parsed(case)[0]], ids=lambda case: case.name)
def test_what_the_schema_accepts_the_edge_accepts_and_the_reverse(case: Case):
    is_taken = case.status == 200 and not case.says  # of a mixed batch something is said
    is_valid = VALIDATOR.is_valid(parsed(case)[1])
    if any(BEYOND_A_SCHEMA.search(said) for said in case.says):
        assert (is_valid, is_taken) == (True, False)
    else:
        assert is_valid == is_taken


SMALL = Settings(max_batch_events=2, max_properties=1, max_key_chars=9, max_string_chars=5, max_name_chars=3)


@pytest.mark.parametrize(
    "change",
    [
        {"event": "abc"},
        {"event": "abcd"},
        {"properties": {"a": "12345"}},
        {"properties": {"a": "123456"}},
        {"properties": {"a": {"b": [["123456"]]}}},
        {"properties": {"a": 1, "b": 2}},
        {"properties": {"a": {"b": 1, "c": 2}}},
        {"properties": {"a": {"b" * 10: 1}}},
        {"context": {"title": "123456"}},
        {"context": {"any": "123456"}},
        {"context": {"utm": {"source": "123456"}}},
        {"context": {"viewport": {"w": 1}, "screen": "1x1", "url": None}},
        {"context": {"viewport": 5}},
        {"context": {"utm": "x"}},
        {"traits": {"email": "123456"}},
        {"traits": []},
        {"userId": 5},
        {"userId": "123456"},
        {"userId": True},
        {"deferred": 1},
        {"sentAt": "soon"},
        {"sessionId": ""},
        {"sessionId": 5},
        {"id": ""},
        {"events": 5},
        {"unknown": {"a": "123456"}},
    ],
    ids=str,
)
def test_the_limits_of_the_settings_are_those_of_the_schema(change: dict[str, Any]):
    event = {"projectId": "shop", "event": "a", "timestamp": NOW} | change
    reading = read_events(json.dumps(event).encode(), None, NOW, SMALL)
    is_taken = not (reading.refused or reading.problem)
    assert Draft202012Validator(schema_of(SMALL)).is_valid(event) == is_taken


@pytest.mark.parametrize("count", [0, 2, 3])
def test_the_limit_of_a_batch_is_that_of_the_schema(count: int):
    events = [{"projectId": "shop", "event": "a", "timestamp": NOW}] * count
    validator = Draft202012Validator(schema_of(SMALL))
    for body in (events, {"events": events}, {"projectId": "blog", "events": events}):
        assert validator.is_valid(body) == (read_events(json.dumps(body).encode(), None, NOW, SMALL).problem is None)


def test_what_simulated_visitors_send_is_valid():
    chance = random.Random(3)
    crowd = Crowd(3, lambda: NOW)
    for _ in range(20):
        tracker = Tracker(crowd.next(), site="https://a.test", project="shop", chance=chance, now_ms=NOW)
        VALIDATOR.validate(json.loads(tracker.call(plan_journey(chance), NOW).body))


# -- the tracker's types -----------------------------------------------------------------------------------------------

TYPES = (CHECKOUT / "sdk" / "src" / "types.d.ts").read_text(encoding="utf-8")
WORDS = {"Properties": "object", "Context": "object"}


def interface(name: str) -> dict[str, tuple[bool, set[str]]]:
    """Read an interface: field -> (is it required, its JSON types)."""
    found = re.search(rf"^export interface {name} \{{\n(.*?)^\}}", TYPES, flags=re.MULTILINE | re.DOTALL)
    assert found, name
    fields = re.findall(r"^  (\w+)(\??): (.+);$", found[1], flags=re.MULTILINE)
    return {field: (not optional, json_types_of(types)) for field, optional, types in fields}


def json_types_of(types: str) -> set[str]:
    if types.endswith("[]"):
        return {"array"}
    return {WORDS.get(word, word) for word in types.split(" | ")}


def published(name: str) -> dict[str, tuple[bool, set[str]]]:
    definition = DEFS[name]
    required = definition.get("required", [])
    return {field: (field in required, types_of(node)) for field, node in definition["properties"].items()}


def types_of(node: dict[str, Any]) -> set[str]:
    if "$ref" in node:
        return types_of(DEFS[node["$ref"].rpartition("/")[2]])
    if "anyOf" in node and "type" not in node:
        return {kind for branch in node["anyOf"] for kind in types_of(branch)}
    return {node["type"]} if isinstance(node["type"], str) else set(node["type"])


def test_an_event_is_the_same_in_the_trackers_types_and_in_the_schema():
    fields = published("Event")
    del fields["events"]  # what makes a body an envelope
    assert interface("WireEvent") == fields


def test_an_envelope_and_a_context_are_the_same_too():
    assert interface("Envelope") == published("Envelope")
    assert interface("Context") == published("Context")


def test_what_a_page_sees_before_it_is_sent_is_such_an_event():
    fields = published("Event")
    for name, (_, types) in interface("GlimpseEvent").items():
        assert types <= fields[name][1], name


def test_the_schema_knows_every_field_that_is_decoded():
    assert set(published("Event")) == set(WireEvent.__struct_fields__)
    assert set(published("Context")) == set(CONTEXT_TYPES)


@pytest.mark.server
def test_the_schema_is_served_to_pages_of_any_site(tmp_path: Any):
    with Served(tmp_path / "data", GLIMPSE_MAX_NAME="7") as served:
        status, headers, body = served.ask("GET", "/api/v1/schema", Origin="https://shop.test")
    assert (status, headers["content-type"], headers["access-control-allow-origin"]) == (
        200,
        "application/schema+json",
        "*",
    )
    assert json.loads(body)["$defs"]["Event"]["properties"]["event"]["maxLength"] == 7
