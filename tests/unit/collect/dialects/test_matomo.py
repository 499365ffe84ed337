"""What Matomo's trackers send, as events of ours; and what they hear."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from asking import NOW, Asked, ask

from glimpse.collect.dialects.image import GIF
from glimpse.events import ClaimedEvent, DropReason
from glimpse.settings import Settings

VIEW = {"idsite": "7", "rec": "1", "url": "https://shop.test/a", "action_name": "A"}


def hit(headers: Any = None, **fields: str) -> Asked:
    return ask(f"/matomo.php?{urlencode(VIEW | fields)}", **(headers or {}))


def event_of(headers: Any = None, **fields: str) -> ClaimedEvent:
    return hit(headers, **fields).event


def test_page_view_has_page_title_referrer_screen_and_language():
    event = event_of(urlref="https://www.google.com/", res="1280x720", lang="de", pv_id="x1y2z3")
    assert (event.project, event.name, event.timestamp) == ("7", "page_view", NOW)
    assert event.context == {
        "url": "https://shop.test/a",
        "title": "A",
        "referrer": "https://www.google.com/",
        "screen": "1280x720",
        "language": "de",
        "pageId": "x1y2z3",
    }


@pytest.mark.parametrize(
    ("fields", "name", "properties"),
    [
        ({"e_c": "Videos", "e_a": "play", "e_n": "Intro", "e_v": "1.5"}, "play", (1.5, "Videos", "Intro")),
        ({"search": "shoes", "search_cat": "all", "search_count": "12"}, "search", ("shoes", "all", 12)),
        ({"link": "https://b.test/"}, "outbound_click", ("https://b.test/",)),
        ({"download": "https://shop.test/a.pdf", "link": "x"}, "file_download", ("https://shop.test/a.pdf",)),
        ({"idgoal": "3", "revenue": "9.99"}, "goal", ("3", 9.99)),
        ({"idgoal": "0", "ec_id": "o1", "revenue": "20"}, "order", ("o1", 20)),
        ({"idgoal": "0", "ec_items": "[]", "revenue": "20"}, "cart_update", ("[]", 20)),
        ({"c_n": "ad", "c_p": "a.png", "c_t": "/x"}, "content_impression", ("ad", "a.png", "/x")),
        ({"c_n": "ad", "c_i": "click"}, "content_interaction", ("ad",)),
        ({"ping": "1"}, "heartbeat", ()),
        ({"dimension1": "pro", "cvar": '{"1":["plan","x"]}'}, "page_view", ("pro", "x")),
    ],
)
def test_each_kind_of_hit_has_its_name_and_properties(fields: dict[str, str], name: str, properties: tuple[Any, ...]):
    event = event_of(**fields)
    assert event.name == name
    assert sorted(map(str, event.properties.values())) == sorted(map(str, properties))


def test_campaign_is_read_from_matomos_own_tags():
    assert event_of(url="https://shop.test/?mtm_campaign=spring&mtm_kwd=shoes&pk_source=mail").context["utm"] == {
        "campaign": "spring",
        "term": "shoes",
        "source": "mail",
    }
    assert event_of(_rcn="spring").context["utm"] == {"campaign": "spring"}
    assert "utm" not in event_of(_rcn="news", url="https://shop.test/?utm_source=news").context


@pytest.mark.parametrize("cdt", [str(NOW // 1000 - 60), "2026-09-21 14:12:20", "2026-09-21T14:12:20.000Z"])
def test_time_may_be_given_in_seconds_or_as_a_date(cdt: str):
    assert event_of(cdt=cdt).timestamp == NOW - 60_000


def test_time_may_be_given_as_an_age():
    assert event_of(cdo="60").timestamp == NOW - 60_000


def test_visitors_id_tells_visitors_apart_and_stays_the_same_when_a_user_logs_in():
    event = event_of(_id="0123456789abcdef", uid="anna")
    assert (event.person, event.user_id, event.anonymous_id) == ("0123456789abcdef", "anna", "0123456789abcdef")
    assert event_of().person is None


def test_language_is_the_browsers_where_the_hit_has_none_and_no_server_sends():
    german = {"Accept-Language": "de;q=0.9"}
    assert event_of(german).context["language"] == "de"
    assert event_of(german, lang="fr").context["language"] == "fr"
    assert "language" not in event_of(german, cip="198.51.100.7").context


def test_server_names_its_visitors_address_and_browser():
    event = event_of(cip="198.51.100.7", ua="Firefox")
    assert (event.by_server, event.address, event.context["userAgent"]) == (True, "198.51.100.7", "Firefox")
    assert event_of({"Origin": "https://shop.test"}, cip="198.51.100.7").address is None, "a page can't say who it is"


@pytest.mark.parametrize("path", ["/matomo.php", "/piwik.php"])
def test_hit_may_be_a_form(path: str):
    assert ask(path, urlencode(VIEW).encode()).event.name == "page_view"
    assert ask(f"{path}?idsite=7&rec=1", b"e_c=a&e_a=b").event.name == "b"


def test_bulk_keeps_its_good_hits_and_tells_of_the_others():
    good = f"?{urlencode(VIEW)}"
    asked = ask("/matomo.php", {"requests": [good, "?rec=1", good.removeprefix("?"), VIEW | {"idsite": 7}, 5]})
    assert [event.project for event in asked.events] == ["7", "7", "7"]
    told = asked.answered()
    assert (told["status"], told["tracked"], told["invalid"], told["invalid_indices"]) == ("success", 3, 2, [1, 4])
    assert "idsite is required" in told["message"]


def test_bulk_of_good_hits_is_answered_as_matomo_does():
    asked = ask("/matomo.php", {"requests": [f"?{urlencode(VIEW)}"], "token_auth": "x"})
    assert asked.answer().body == b'{"status":"success","tracked":1,"invalid":0}'


def test_answer_is_an_image_or_on_request_nothing():
    assert (hit().answer().status, hit().answer().body) == (200, GIF)
    silent = hit(send_image="0").answer()
    assert (silent.status, silent.body) == (204, b"")
    assert hit(send_image="0").answer(dropped=[DropReason.BOT]).headers == {"X-Glimpse-Dropped": "bot"}
    assert ask("/matomo.php", urlencode(VIEW | {"send_image": "0"}).encode()).answer().status == 204


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/matomo.php", b"", "rec must be 1"),
        ("/matomo.php?rec=1&url=/", b"", "idsite is required"),
        ("/matomo.php?rec=1&idsite=a%20b", b"", "idsite must be"),
        ("/matomo.php?rec=1&idsite=7&cdt=soon", b"", "cdt must be"),
        ("/matomo.php?rec=1&idsite=7&e_c=a&e_a=" + "x" * 201, b"", "e_a has 201"),
        ("/matomo.php", b'{"requests": 7}', "requests must be an array"),
        ("/matomo.php", b"{", "JSON"),
    ],
)
def test_bad_input_is_400_and_says_why(path: str, body: bytes, said: str):
    answer = ask(path, body).answer()
    told = json.loads(answer.body)
    assert (answer.status, told["status"], told["tracked"]) == (400, "error", 0)
    assert said in told["message"]


def test_too_many_hits_are_413():
    bulk = {"requests": ["?idsite=7&rec=1"] * 3}
    assert ask("/matomo.php", bulk, settings=Settings(max_batch_events=2)).answer().status == 413
