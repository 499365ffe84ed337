from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glimpse.enrich.source import Source, describe_source

SHOP = "https://shop.example/hats"


@pytest.mark.parametrize(
    ("referrer", "source", "channel"),
    [
        ("https://www.google.com/", "google", "search"),
        ("https://www.google.co.uk/search?q=hats", "google", "search"),
        ("https://google.de/", "google", "search"),
        ("https://duckduckgo.com/", "duckduckgo", "search"),
        ("https://search.yahoo.com/x", "yahoo", "search"),
        ("https://mail.google.com/mail/u/0", "gmail", "email"),
        ("https://gemini.google.com/app", "gemini", "ai"),
        ("https://chatgpt.com/", "chatgpt", "ai"),
        ("https://l.facebook.com/l.php?u=x", "facebook", "social"),
        ("https://t.co/abc", "x", "social"),
        ("https://news.ycombinator.com/item?id=1", "hacker news", "social"),
        ("android-app://com.google.android.gm/", "gmail", "email"),
        ("android-app://com.google.android.googlequicksearchbox/", "google", "search"),
        ("https://www.blog.example/post", "blog.example", "referral"),
        ("https://notgoogle.com/", "notgoogle.com", "referral"),
        ("https://google.evil.example/", "google.evil.example", "referral"),
    ],
)
def test_referrer_gives_source_and_channel(referrer: str, source: str, channel: str):
    found = describe_source(referrer, SHOP)
    assert (found.source, found.channel) == (source, channel)


def test_no_referrer_is_direct():
    assert describe_source(None, SHOP) == Source() == describe_source("", None)


@pytest.mark.parametrize(
    "referrer", ["about:blank", "not an address", "http://[broken", "javascript:alert(1)", "file:///x"]
)
def test_what_is_no_web_address_is_direct(referrer: str):
    assert describe_source(referrer, SHOP) == Source()


@pytest.mark.parametrize(
    "referrer", ["https://shop.example/", "https://www.shop.example/a", "http://SHOP.example:8080/"]
)
def test_own_host_is_not_a_source(referrer: str):
    assert describe_source(referrer, SHOP) == Source()


@pytest.mark.parametrize("referrer", [None, "", "https://shop.example/hats", "not an address"])
def test_a_page_reached_within_the_site_came_from_where_the_visit_did(referrer: str | None):
    found = describe_source(referrer, SHOP, entry="https://www.google.com/search?q=hats")
    assert found == describe_source("https://www.google.com/search?q=hats", SHOP)
    assert (found.referrer, found.source, found.channel) == ("https://www.google.com/search", "google", "search")


def test_another_site_that_led_here_amid_the_visit_counts_more_than_its_entry():
    assert describe_source("https://t.co/x", SHOP, entry="https://www.google.com/").source == "x"


def test_an_entry_from_the_site_itself_is_no_source():
    assert describe_source(None, SHOP, entry="https://www.shop.example/") == Source()


def test_another_host_below_the_same_domain_is_a_source():
    assert describe_source("https://blog.shop.example/", SHOP).source == "blog.shop.example"


def test_referrer_is_kept_without_query_fragment_and_credentials():
    found = describe_source("https://me:secret@blog.example:8443/post?token=1#part", SHOP)
    assert found.referrer == "https://blog.example:8443/post"


def test_campaign_tags_in_the_address_outweigh_the_referrer():
    found = describe_source("https://t.co/x", f"{SHOP}?utm_source=Spring-News&utm_medium=email&utm_campaign=hats")
    assert (found.source, found.channel, found.utm_source) == ("spring-news", "email", "Spring-News")
    assert (found.utm_medium, found.utm_campaign, found.referrer) == ("email", "hats", "https://t.co/x")


def test_tags_the_client_read_outweigh_those_in_the_address():
    utm = {"source": "new", "medium": None, "content": 7}
    found = describe_source(None, f"{SHOP}?utm_source=old&utm_term=red", utm)
    assert (found.utm_source, found.utm_term, found.utm_content) == ("new", "red", None)


@pytest.mark.parametrize(
    ("query", "source", "channel"),
    [
        ("gclid=abc", "google", "paid"),
        ("utm_source=google&utm_medium=cpc", "google", "paid"),
        ("utm_source=twitter&utm_medium=post", "x", "social"),
        ("utm_source=chatgpt.com", "chatgpt", "ai"),
        ("utm_source=flyer&utm_campaign=street", "flyer", "campaign"),
        ("utm_campaign=street", "google", "campaign"),
        ("ref=producthunt", "product hunt", "social"),
        ("ref=a-friend", "a-friend", "referral"),
        ("fbclid=abc", "google", "search"),
    ],
)
def test_tags_decide_the_channel(query: str, source: str, channel: str):
    found = describe_source("https://www.google.com/", f"{SHOP}?{query}")
    assert (found.source, found.channel) == (source, channel)


@settings(max_examples=100)
@given(st.text(max_size=200), st.text(max_size=200), st.dictionaries(st.text(max_size=8), st.text() | st.integers()))
def test_any_text_is_described_without_an_error_and_without_its_query(referrer: str, url: str, utm: dict[str, object]):
    found = describe_source(referrer, url, utm)
    assert found.referrer is None or "?" not in found.referrer
