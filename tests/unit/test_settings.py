"""Settings: one table, read once from the environment."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from glimpse.errors import SettingsError
from glimpse.settings import SETTINGS, Settings, environment_with, settings_table


def test_an_empty_environment_gives_the_defaults():
    assert Settings.from_environment({}) == Settings()


def test_the_table_and_the_record_agree():
    fields = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    assert fields == {setting.field: setting.default for setting in SETTINGS}


def test_an_empty_value_means_the_default():
    assert Settings.from_environment({"GLIMPSE_FLUSH_ROWS": ""}).flush_rows == 100


def test_values_get_their_types():
    settings = Settings.from_environment(
        {
            "GLIMPSE_DATA_DIR": "/srv/glimpse",
            "GLIMPSE_FLUSH_INTERVAL_S": "0.5",
            "GLIMPSE_SESSION_TIMEOUT_S": "60",
            "GLIMPSE_PUBLIC": "yes",
            "GLIMPSE_TRUSTED_PROXIES": "10.0.0.7/8, 2001:db8::/32",
        },
    )
    assert settings.data_dir == Path("/srv/glimpse")
    assert settings.flush_interval_s == 0.5
    assert settings.session_timeout_s == 60
    assert settings.is_public is True
    assert settings.trusted_proxies == ("10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize(
    ("value", "rates"), [("500", (500, 2000)), ("500, 20.5", (500, 20.5)), ("0,0", (0, 0)), ("0", (0, 2000))]
)
def test_one_rate_is_the_projects_and_leaves_that_of_networks(value: str, rates: tuple[float, float]):
    assert Settings.from_environment({"GLIMPSE_RATE_LIMIT": value}).rate_limit == rates


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("GLIMPSE_FLUSH_ROWS", "none", "must be a whole number"),
        ("GLIMPSE_FLUSH_INTERVAL_S", "soon", "must be a number"),
        ("GLIMPSE_FLUSH_INTERVAL_S", "nan", "greater than 0"),
        ("GLIMPSE_FLUSH_ROWS", "0", "greater than 0"),
        ("GLIMPSE_STORE_MEMORY_MB", "64", "128 or more"),
        ("GLIMPSE_PUBLIC", "perhaps", "use 1 or 0"),
        ("GLIMPSE_HOME", "52.37", "latitude and longitude"),
        ("GLIMPSE_APPENDFSYNC", "never", "always or everysec"),
        ("GLIMPSE_PUBLIC_URL", "stats.example.com", "https://stats.example.com"),
        ("GLIMPSE_TRUSTED_PROXIES", "10.0.0.0/99", "10.0.0.0/99"),
        ("GLIMPSE_RATE_LIMIT", "100,-1", "0 or more"),
        ("GLIMPSE_RATE_LIMIT", "nan", "0 or more"),
        ("GLIMPSE_RATE_LIMIT", "5,x", "'x'"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable_and_what_is_allowed(variable: str, value: str, told: str):
    with pytest.raises(SettingsError, match=variable) as caught:
        Settings.from_environment({variable: value})
    assert repr(value) in str(caught.value)
    assert told in str(caught.value)


def test_redis_may_be_named_by_url_or_by_host_and_port():
    assert Settings().server_redis_url is None
    assert Settings(redis_host="cache").server_redis_url == "redis://cache:6379/0"
    assert Settings(redis_host="cache", redis_port=7000).server_redis_url == "redis://cache:7000/0"
    assert Settings(redis_host="cache", redis_url="redis://other").server_redis_url == "redis://other"


def test_the_table_has_a_row_for_each_setting():
    rows = settings_table().splitlines()
    assert len(rows) == len(SETTINGS) + 2
    assert "| `GLIMPSE_SESSION_TIMEOUT_S` | `300` | seconds | silence that ends a session |" in rows


def test_a_started_process_gets_this_ones_environment_and_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GLIMPSE_MAX_NAME", "7")
    settings = Settings.from_environment(environment_with(GLIMPSE_TAKES_DEMO="1"))
    assert (settings.max_name_chars, settings.takes_demo) == (7, True)
