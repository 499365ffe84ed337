"""What keeps a page's events from their server, in the words that browsers have for it."""

from __future__ import annotations

import pytest

from glimpse.doctor.finding import Verdict
from glimpse.doctor.site_check import _events
from glimpse.doctor.site_check_facts import Loaded, Request

EVENT = "http://stats.example/event"
BODY = '{"projectId":"shop","events":[{}]}'


@pytest.mark.parametrize(
    ("failure", "told", "mend"),
    [
        ("inspector", f"the browser blocks {EVENT}", "serve Glimpse under a path of the site"),
        ("net::ERR_BLOCKED_BY_CLIENT", f"the browser blocks {EVENT}", "serve Glimpse under a path of the site"),
        ("mixed-content", "the page is secure", "https://stats.example/event"),
        ("csp", "Content-Security-Policy forbids", "connect-src http://stats.example"),
        ("net::ERR_NAME_NOT_RESOLVED", "can't be reached: net::ERR_NAME_NOT_RESOLVED", ""),
        ("", "gives no answer", ""),
    ],
)
def test_a_request_that_gets_no_answer_is_told_with_what_mends_it(failure: str, told: str, mend: str):
    request = Request(EVENT, "POST", BODY, failure=failure)
    word = _events(Loaded("https://shop.example", "in a test", requests=[request]))
    assert (word.verdict, told in word.told, mend in word.mend) == (Verdict.WRONG, True, True), word


def test_events_of_a_project_that_is_not_registered_are_told_with_the_command_that_mends_it():
    answer = '{"success":true,"dropped":[{"index":0,"reason":"unknown_project"}]}'
    request = Request(EVENT, "POST", BODY, status=200, answer=answer)
    word = _events(Loaded("https://shop.example", "in a test", requests=[request]))
    assert word.verdict is Verdict.WRONG
    assert word.mend.endswith("glimpse project add shop")
