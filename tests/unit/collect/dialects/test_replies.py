"""What clients of Segment, RudderStack and PostHog ask for before they send, and what they hear."""

from __future__ import annotations

import json
from typing import Any

import pytest

from glimpse.collect.answers import Answer
from glimpse.collect.dialects.own_address import own_address
from glimpse.collect.endpoints import find
from glimpse.collect.request import Request
from glimpse.settings import Settings


def reply(path: str, method: str = "GET", peer: str = "127.0.0.1", **headers: str) -> Answer:
    path, _, query = path.partition("?")
    resource = find(path)
    assert resource, path
    endpoint = resource.endpoint(method)
    assert endpoint, (path, method)
    assert endpoint.reply, path
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return endpoint.reply(Request(b"", named, peer, method, path, query, resource.names), Settings())


def told(path: str, **more: Any) -> Any:
    return json.loads(reply(path, **more).body)


def test_segments_client_is_sent_to_the_host_that_it_asked():
    destination = told("/v1/projects/wk_1/settings", Host="stats.shop.test")["integrations"]["Segment.io"]
    assert (destination["apiKey"], destination["apiHost"], destination["protocol"]) == (
        "wk_1",
        "stats.shop.test/v1",
        "http",
    )


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", {}, ("http", "a.test:5006")),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, ("https", "a.test:5006")),
        ("127.0.0.1", {"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "b.test, c"}, ("https", "b.test")),
        ("127.0.0.1", {"X-Forwarded-Proto": "gopher"}, ("http", "a.test:5006")),
        ("203.0.113.9", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "b.test"}, ("http", "a.test:5006")),
        ("203.0.113.9", {"Origin": "https://shop.test"}, ("https", "a.test:5006")),
        ("garbage", {"X-Forwarded-Proto": "https"}, ("http", "a.test:5006")),
    ],
)
def test_only_a_trusted_proxy_says_where_a_client_came_in(peer: str, headers: dict[str, str], expected: Any):
    request = Request(b"", {"Host": "a.test:5006"} | headers, peer)
    assert own_address(request, Settings()) == expected


def test_server_below_a_prefix_and_behind_its_own_certificate_says_so():
    request = Request(b"", {"Host": "a.test"}, "203.0.113.9", scheme="https", prefix="/stats")
    assert own_address(request, Settings()) == ("https", "a.test/stats")


def test_rudderstacks_client_finds_a_source_that_is_on():
    source = told("/sourceConfig/?p=npm&writeKey=wk_1")["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"]) == ("wk_1", True, [])
    assert told("/sourceConfig", Authorization="Basic d2tfMTo=")["source"]["writeKey"] == "wk_1"


def test_posthogs_configuration_is_a_script_and_a_json():
    script = reply("/array/phc_1/config.js")
    assert script.content_type.startswith("application/javascript")
    config = json.dumps(told("/array/phc_1/config"), separators=(",", ":"))
    assert f'all["phc_1"]={{config:{config}' in script.body.decode()


def test_key_in_the_address_can_not_leave_the_script():
    body = reply("/array/%22%5D%3Balert(1)%2F%2F%3C%2Fscript%3E/config.js".replace("%2F", "%2f")).body.decode()
    assert r'all["\"];alert(1)//\u003c/script>"]=' in body


@pytest.mark.parametrize(("path", "none"), [("/flags/?v=2", {}), ("/decide/?v=3", {}), ("/decide/", [])])
def test_there_are_no_flags(path: str, none: Any):
    answer = told(path, method="POST")
    assert (answer["flags"], answer["featureFlags"], answer["errorsWhileComputingFlags"]) == ({}, none, False)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/api/surveys/?token=phc_1", "surveys"),
        ("/api/early_access_features/", "earlyAccessFeatures"),
        ("/api/web_experiments/", "experiments"),
        ("/api/product_tours/", "product_tours"),
    ],
)
def test_there_is_nothing_else_either(path: str, key: str):
    assert told(path) == {key: []}


def test_parts_of_posthogs_client_are_empty_scripts_and_panels_own_scripts_are_left_alone():
    for path in ("/static/recorder.js", "/static/1.449.2/surveys.js"):
        answer = reply(path)
        assert (answer.status, answer.content_type.partition(";")[0]) == (200, "application/javascript")
    assert reply("/static/array.js").status == 404  # without the client itself nothing would be sent, and nobody told
    assert find("/static/js/bokeh.min.js") is None
    assert find("/static/extensions/panel/panel.min.js") is None


def test_what_segments_client_counts_of_itself_is_heard_and_forgotten():
    assert reply("/v1/m", "POST").body == b'{"success":true}'
