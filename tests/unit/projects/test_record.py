from __future__ import annotations

import msgspec
import pytest

from glimpse.errors import ProjectError
from glimpse.projects.record import PROJECT_SETTINGS, ProjectSettings, checked_changes, checked_id, shown


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("name", "My shop", "My shop"),
        (
            "origins",
            "https://Shop.example/, https://*.shop.example",
            ("https://shop.example", "https://*.shop.example"),
        ),
        ("origins", "https://a.test,https://a.test:443", ("https://a.test",)),
        ("identity", "keep", "keep"),
        ("respects_gpc", "no", False),
        ("bots", "keep", "keep"),
        ("blocked_pages", "/admin/*,*.php", ("/admin/*", "*.php")),
        ("blocked_networks", "203.0.113.7,2001:db8::/32", ("203.0.113.7/32", "2001:db8::/32")),
        ("retention_days", "90", 90),
        ("rate_limit", "0.5", 0.5),
        ("rate_limit", "", None),
        ("home", "52.37, 4.90", (52.37, 4.9)),
        ("home", "-12,-77", (-12.0, -77.0)),
        ("origins", "", ()),
        ("respects_gpc", "", True),
    ],
)
def test_a_setting_is_read_as_it_is_written(field: str, text: str, value: object):
    assert checked_changes({field: text}) == {field: value}


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("origins", "shop.example", "write scheme and host"),
        ("identity", "hide", "use drop or keep"),
        ("respects_gpc", "maybe", "use yes or no"),
        ("blocked_pages", "admin", "must begin with / or *"),
        ("blocked_networks", "10.0.0.0/33", "no address such as 203.0.113.7 and no network"),
        ("retention_days", "0", "a whole number from 1"),
        ("retention_days", "1.5", "a whole number from 1"),
        ("rate_limit", "fast", "a number greater than 0"),
        ("rate_limit", "nan", "a number greater than 0"),
        ("rate_limit", "-1", "a number greater than 0"),
        ("home", "Amsterdam", "latitude and longitude"),
        ("home", "91,0", "latitude and longitude"),
        ("home", "nan,0", "latitude and longitude"),
        ("name", "a\nb", "printable"),
        ("origins", ",".join(f"https://s{i}.test" for i in range(201)), "at most 200 are allowed"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(field: str, text: str, told: str):
    with pytest.raises(ProjectError) as refused:
        checked_changes({field: text})
    assert str(refused.value).startswith(f"{field.replace('_', '-')}=")
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["", "a b", "ü", "x" * 65, "shop:bots"])
def test_an_id_that_no_event_can_have_is_not_registered(text: str):
    with pytest.raises(ProjectError):
        checked_id(text)


def test_every_setting_can_be_written_and_reads_back_as_it_shows():
    assert {row.field for row in PROJECT_SETTINGS} == set(ProjectSettings.__struct_fields__) - {"id"}
    settings = ProjectSettings(origins=("https://a.test",), respects_gpc=False, rate_limit=2.5, home=(52.37, 4.9))
    texts = {row.field: shown(getattr(settings, row.field)) for row in PROJECT_SETTINGS}
    assert msgspec.structs.replace(ProjectSettings(), **checked_changes(texts)) == settings
