from __future__ import annotations

import pytest

from glimpse.collect.address import UNKNOWN
from glimpse.collect.admission import Sender, admit
from glimpse.collect.request import Request
from glimpse.events import ClaimedEvent, DropReason
from glimpse.projects import Projects

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
HEADLESS = CHROME.replace("Chrome/", "HeadlessChrome/")
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def dropped(
    user_agent: str, *, claimed: str | None = None, allows: bool = False, by_server: bool = False, **headers: str
) -> str | None:
    event = ClaimedEvent(
        project="shop",
        name="x",
        timestamp=0,
        context={"userAgent": claimed} if claimed else {},
        by_server=by_server,
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(b"", {"User-Agent": user_agent} | named, "")
    outcome = admit(event, Sender.of(request, UNKNOWN, allows_headless=allows), Projects())
    return None if outcome is event else str(outcome)


@pytest.mark.parametrize(
    "user_agent",
    [
        GOOGLEBOT,
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        "facebookexternalhit/1.1",
        "Scrapy/2.11 (+https://scrapy.org)",
        "Mozilla/4.5 (compatible; HTTrack 3.0x; Windows 98)",
        HEADLESS,
    ],
)
def test_crawlers_and_headless_browsers_are_dropped(user_agent: str):
    assert dropped(user_agent) == DropReason.BOT


@pytest.mark.parametrize(
    "user_agent",
    [
        CHROME,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
        "Mozilla/5.0 (Linux; Android 8.1.0; CUBOT_P20) AppleWebKit/537.36 Chrome/91.0 Mobile Safari/537.36",
        "curl/8.5.0",
        "Wget/1.21.4",
        "python-requests/2.32.3",
        "python-httpx/0.28.1",
        "Python/3.11 aiohttp/3.9.5",
        "axios/1.7.2",
        "node-fetch/1.0",
        "Go-http-client/2.0",
        "okhttp/4.12.0",
        "Apache-HttpClient/4.5.14 (Java/17.0.11)",
        "",
    ],
)
def test_browsers_and_http_libraries_are_not_dropped(user_agent: str):
    assert dropped(user_agent) is None


def test_headless_browsers_pass_where_they_are_allowed_and_crawlers_do_not():
    assert dropped(HEADLESS, allows=True) is None
    assert dropped(GOOGLEBOT, allows=True) == DropReason.BOT


def test_a_bot_is_a_bot_when_a_server_passes_its_user_agent_on():
    assert dropped("python-requests/2.32.3", claimed=GOOGLEBOT) == DropReason.BOT
    assert dropped("python-requests/2.32.3", claimed=CHROME) is None


def test_a_server_that_sends_for_its_visitors_is_judged_by_their_user_agents_only():
    assert dropped(GOOGLEBOT, claimed=CHROME, by_server=True) is None
    assert dropped(HEADLESS, by_server=True) is None
    assert dropped("analytics-node/2.3", claimed=GOOGLEBOT, by_server=True) == DropReason.BOT
    assert dropped("analytics-node/2.3", claimed=HEADLESS, by_server=True) == DropReason.BOT
    assert dropped("analytics-node/2.3", claimed=HEADLESS, by_server=True, allows=True) is None


@pytest.mark.parametrize(
    "headers",
    [{"Sec_Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X_Moz": "Prefetch"}, {"X_Purpose": "preview"}],
)
def test_what_a_browser_fetches_ahead_is_dropped(headers: dict[str, str]):
    assert dropped(CHROME, **headers) == DropReason.PREFETCH


def test_another_purpose_is_not_dropped():
    assert dropped(CHROME, Sec_Purpose="document") is None
