from __future__ import annotations

import pytest
import ua_parser_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from glimpse.enrich.device import Device, Devices

APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
DEVICES = Devices()


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", ("Chrome", "Windows", "desktop")),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/126.0", ("Edge", "Windows", "desktop")),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Version/17.4 Safari/605.1.15",
            ("Safari", "macOS", "desktop"),
        ),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/127 Firefox/127.0", ("Firefox", "Ubuntu", "desktop")),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36", ("Chrome", "Chrome OS", "desktop")),
        (f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {CHROME} Mobile Safari/537.36", ("Chrome", "Android", "phone")),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {APPLE} Version/17.5 Mobile/15E148 Safari/604.1",
            ("Safari", "iOS", "phone"),
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {APPLE} CriOS/126.0 Mobile/15E148 Safari/604.1",
            ("Chrome", "iOS", "phone"),
        ),
        (
            f"Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) {APPLE} Version/17.0 Mobile/15E148 Safari/604.1",
            ("Safari", "iOS", "tablet"),
        ),
        (f"Mozilla/5.0 (Linux; Android 12; SM-X906C) {CHROME} Safari/537.36", ("Chrome", "Android", "tablet")),
        ("Mozilla/5.0 (Android 14; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0", ("Firefox", "Android", "tablet")),
        (f"Mozilla/5.0 (Web0S; Linux/SmartTV) {CHROME} Safari/537.36 WebAppManager", ("Chrome", "Web0S", "tv")),
        (
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) Version/6.0 TV Safari/538.1",
            ("Safari", "Tizen", "tv"),
        ),
        ("curl/8.5.0", ("curl", None, "other")),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ("Googlebot", None, "other")),
        ("", (None, None, "other")),
    ],
)
def test_user_agent_tells_browser_system_and_kind_of_device(user_agent: str, expected: tuple[str | None, ...]):
    assert DEVICES.describe(user_agent) == expected


def test_a_fire_tv_and_a_console_are_not_tablets():
    fire_tv = "Mozilla/5.0 (Linux; Android 9; AFTKA) AppleWebKit/537.36 (KHTML, like Gecko) Silk/98.6 Safari/537.36"
    assert DEVICES.describe(fire_tv).device == "tv"
    assert DEVICES.describe("Mozilla/5.0 (PlayStation 5/9.60) AppleWebKit/605.1.15 Safari/605.1.15").device == "other"


def test_parsing_runs_on_the_compiled_backend():
    assert isinstance(DEVICES._parse.ua, ua_parser_rs.UserAgentExtractor)


def test_a_user_agent_is_parsed_once():
    devices = Devices(cache_size=2)
    for _ in range(3):
        devices.describe("curl/8.5.0")
    assert (devices._described.cache_info().misses, devices._described.cache_info().hits) == (1, 2)


@settings(max_examples=50)
@given(st.text(max_size=3000))
def test_any_text_is_described_without_an_error(user_agent: str):
    assert isinstance(DEVICES.describe(user_agent), Device)
