"""An event of ours in a query string, and the image that answers it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from asking import NOW, ask

from glimpse.collect.dialects.image import GIF
from glimpse.events import DropReason


def test_every_field_of_an_event_can_be_asked_for():
    fields = {
        "projectId": "shop",
        "event": "opened",
        "url": "https://shop.test/a?utm_source=mail",
        "referrer": "https://a.test/",
        "title": "A letter",
        "id": "123e4567-e89b-42d3-a456-426614174000",
        "sessionId": "s1",
        "timestamp": str(NOW - 1000),
        "properties.plan": "pro",
        "properties.zip": "01234",
        "context.edition": "7",
        "userId": "u1",
    }
    asked = ask(f"/pixel.gif?{urlencode(fields)}")
    event = asked.event
    assert (event.project, event.name, event.timestamp, event.session_id) == ("shop", "opened", NOW - 1000, "s1")
    assert event.id == fields["id"]
    assert event.properties == {"plan": "pro", "zip": "01234"}
    assert event.context == {
        "url": fields["url"],
        "referrer": "https://a.test/",
        "title": "A letter",
        "edition": "7",
    }
    assert (event.user_id, asked.reading.unknown_fields) == ("u1", 0)


def test_without_a_name_and_a_time_it_is_a_page_view_of_now():
    event = ask("/pixel.gif?projectId=shop").event
    assert (event.name, event.timestamp) == ("page_view", NOW)


def test_page_that_shows_the_image_is_the_address_unless_one_is_given():
    assert ask("/pixel.gif?projectId=shop", Referer="https://shop.test/a").event.context["url"] == "https://shop.test/a"
    given = ask("/pixel.gif?projectId=shop&url=https://shop.test/b", Referer="https://shop.test/a").event
    assert given.context["url"] == "https://shop.test/b"


def test_language_is_the_browsers_unless_one_is_given():
    assert ask("/pixel.gif?projectId=shop", Accept_Language="de").event.context["language"] == "de"
    assert ask("/pixel.gif?projectId=shop&language=fr", Accept_Language="de").event.context["language"] == "fr"


def test_properties_as_json_keep_their_types():
    query = urlencode({"projectId": "shop", "properties": '{"price":9.5,"is_new":true}', "properties.plan": "pro"})
    assert ask(f"/pixel.gif?{query}").event.properties == {"price": 9.5, "is_new": True, "plan": "pro"}


def test_unknown_fields_are_counted_and_those_against_caches_are_not():
    assert ask("/pixel.gif?projectId=shop&rnd=1&_=2&what=3").reading.unknown_fields == 1


def test_answer_is_an_image_of_one_pixel_that_no_cache_keeps():
    answer = ask("/pixel.gif?projectId=shop").answer()
    assert (answer.status, answer.body, answer.content_type) == (200, GIF, "image/gif")
    assert "no-store" in answer.headers["Cache-Control"]
    dropped = ask("/pixel.gif?projectId=shop").answer(dropped=[DropReason.BOT])
    assert (dropped.body, dropped.headers["X-Glimpse-Dropped"]) == (GIF, "bot")


@pytest.mark.parametrize("query", ["", "projectId=a%20b", "projectId=shop&timestamp=soon", "projectId=shop&event=%20"])
def test_bad_input_is_400_and_says_why(query: str):
    asked = ask(f"/pixel.gif?{query}")
    assert asked.answer().status == 400
    assert asked.answered()["errors"][0]["message"]


def test_query_with_hundreds_of_fields_is_refused():
    assert ask("/pixel.gif?" + "&".join(f"a{n}=1" for n in range(400))).answer().status == 400
