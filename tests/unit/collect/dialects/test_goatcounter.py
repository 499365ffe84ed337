"""What GoatCounter's count.js sends, as events of ours; and what it hears."""

from __future__ import annotations

import pytest
from asking import NOW, ask

from glimpse.collect.dialects.image import GIF
from glimpse.events import DropReason

PAGE = "https://shop.test/somewhere"


def test_page_view_has_its_path_on_the_site_that_sends():
    query = "p=%2Fa&t=A&r=https%3A%2F%2Fwww.google.com%2F&s=1280,720,2&b=0&q=%3Futm_source%3Dnews&rnd=x1"
    event = ask(f"/count?{query}", Referer=PAGE).event
    assert (event.project, event.name, event.timestamp) == ("shop.test", "page_view", NOW)
    assert event.context == {
        "url": "https://shop.test/a?utm_source=news",
        "referrer": "https://www.google.com/",
        "title": "A",
        "screen": {"width": 1280, "height": 720, "pixelRatio": 2},
    }


def test_beacon_is_a_post_with_the_same_query():
    event = ask("/count?p=/a", method="POST", Origin="https://shop.test").event
    assert (event.project, event.context) == ("shop.test", {"url": "https://shop.test/a"})


def test_language_is_the_one_that_the_browser_asks_for():
    event = ask("/count/shop?p=/a", Accept_Language="de-AT,de;q=0.9,en;q=0.8").event
    assert event.context["language"] == "de-AT"
    assert "language" not in ask("/count/shop?p=/a", Accept_Language="*").event.context


def test_newer_scripts_tell_only_the_screens_width():
    assert ask("/count/shop?p=/a&s=1280").event.context == {"path": "/a", "url": "/a", "screenWidth": 1280}


def test_project_may_stand_in_the_path():
    assert ask("/count/shop?p=/a", Referer=PAGE).event.project == "shop"


@pytest.mark.parametrize("yes", ["true", "1", "on"])
def test_event_has_its_name_where_a_view_has_its_path(yes: str):
    event = ask(f"/count?p=signup&e={yes}&t=Sign+up", Referer=PAGE).event
    assert (event.name, event.context) == ("signup", {"url": PAGE, "title": "Sign up"})


def test_page_of_an_event_is_unknown_when_its_browser_tells_only_the_site():
    assert "url" not in ask("/count?p=signup&e=true", Referer="https://shop.test/").event.context


def test_path_may_be_a_whole_address_or_all_that_is_known():
    assert ask("/count/shop?p=https://b.test/x").event.context == {"url": "https://b.test/x"}
    assert ask("/count/shop?p=/x&q=?utm_source=a").event.context == {"path": "/x", "url": "/x?utm_source=a"}


@pytest.mark.parametrize(("flag", "says_bot"), [("0", False), ("", False), ("153", True), ("2", False), ("x", False)])
def test_what_the_script_found_marks_bots(flag: str, says_bot: bool):  # noqa: FBT001
    assert ask(f"/count/shop?p=/a&b={flag}").event.says_bot is says_bot


def test_answer_is_the_image_that_says_in_a_header_what_was_ignored():
    assert ask("/count/shop?p=/a").answer().body == GIF
    answer = ask("/count/shop?p=/a").answer(dropped=[DropReason.BOT])
    assert (answer.status, answer.body) == (200, GIF)
    assert (answer.headers["X-Goatcounter"], answer.headers["X-Glimpse-Dropped"]) == ("ignored: bot", "bot")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/count/shop", "p is required"),
        ("/count?p=/a", "site is required"),
        ("/count/shop?p=&e=1", "p is required"),
        ("/count/a%20b?p=/a", "site must be"),
        ("/count/shop?e=1&p=" + "x" * 201, "p has 201 code points"),
        ("/count/shop?p=%0d%0aSet-Cookie:%20a&e=1&t=" + "x" * 5000, "context.title has 5000"),
    ],
)
def test_bad_input_is_400_with_the_image_and_the_reason_in_a_header(path: str, said: str):
    answer = ask(path).answer()
    assert (answer.status, answer.body) == (400, GIF)
    assert said in answer.headers["X-Goatcounter"]
    assert answer.headers["X-Goatcounter"].isprintable()
