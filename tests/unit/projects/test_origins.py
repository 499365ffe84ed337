from __future__ import annotations

import pytest

from glimpse.projects.origins import is_allowed, normal_origin, origin_of


@pytest.mark.parametrize(
    ("pattern", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example", "https://SHOP.example"),
        ("https://shop.example", "https://shop.example:443"),
        ("https://shop.example:443", "https://shop.example"),
        ("https://*.shop.example", "https://www.shop.example"),
        ("https://*.shop.example", "https://a.b.shop.example"),
        ("https://*.shop.example:8443", "https://www.shop.example:8443"),
        ("http://localhost:*", "http://localhost:8000"),
        ("http://localhost:*", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("null", "null"),
    ],
)
def test_an_origin_is_allowed_by_its_pattern(pattern: str, origin: str):
    assert is_allowed(origin, ("https://other.example", normal_origin(pattern)))


@pytest.mark.parametrize(
    ("pattern", "origin"),
    [
        ("https://shop.example", "http://shop.example"),
        ("https://shop.example", "https://shop.example:8443"),
        ("https://shop.example", "https://www.shop.example"),
        ("https://shop.example", "https://shop.example.evil.test"),
        ("https://shop.example", "https://shop-example"),
        ("https://shop.example", "null"),
        ("https://*.shop.example", "https://shop.example"),
        ("https://*.shop.example", "https://evilshop.example"),
        ("https://*.shop.example", "https://evil.test/.shop.example"),
        ("https://*.shop.example", "https://www.shop.example:8443"),
        ("https://*.shop.example", "https://.shop.example"),
        ("http://localhost:*", "http://localhost.evil.test"),
        ("http://localhost:8000", "http://localhost"),
    ],
)
def test_an_origin_that_only_looks_alike_is_not_allowed(pattern: str, origin: str):
    assert not is_allowed(origin, (normal_origin(pattern),))


def test_without_patterns_any_origin_is_allowed():
    assert is_allowed("https://anywhere.test", ())


@pytest.mark.parametrize(
    "text",
    ["shop.example", "https://", "https://shop.example/path", "*", "https://*", "https://*shop.example", "a b://c", ""],
)
def test_what_is_no_origin_is_refused_with_what_is(text: str):
    with pytest.raises(ValueError, match=r"write scheme and host, such as https://shop\.example"):
        normal_origin(text)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Shop.example/a/b?c=d", "https://shop.example"),
        ("http://user:secret@shop.example:8000/", "http://shop.example:8000"),
        ("/only/a/path", None),
        ("https://[broken", None),
        ("about:blank", None),
    ],
)
def test_the_origin_of_an_address(address: str, origin: str | None):
    assert origin_of(address) == origin
