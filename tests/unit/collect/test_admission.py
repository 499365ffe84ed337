from __future__ import annotations

from typing import Any

import pytest

from glimpse.collect.address import UNKNOWN
from glimpse.collect.admission import Sender, Sorted, admit, sort_events
from glimpse.collect.request import Request
from glimpse.events import ClaimedEvent, DropReason
from glimpse.projects import Projects, ProjectSettings
from glimpse.wire import Reading

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


def test_a_client_whose_script_says_that_it_is_a_bot_is_one():
    assert _alone(_said(says_bot=True), _sent_by(CHROME), Projects()) == DropReason.BOT


def _said(project: str = "shop", **facts: Any) -> ClaimedEvent:
    return ClaimedEvent(project=project, name="x", timestamp=0, **facts)


def _sent_by(user_agent: str, **headers: str) -> Sender:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sender.of(Request(b"", {"User-Agent": user_agent} | named, ""), UNKNOWN, allows_headless=False)


def _alone(event: ClaimedEvent, sender: Sender, projects: Projects) -> ClaimedEvent | DropReason | None:
    outcome = admit(event, sender, projects)
    return outcome if isinstance(outcome, ClaimedEvent | DropReason) else None


class Registered(Projects):
    """A registry whose projects are given, as if Redis had told of them."""

    def __init__(self, *settings: ProjectSettings) -> None:
        super().__init__()
        self._registered = {one.id: one for one in settings}


UNUSUAL = [
    _said(says_bot=True),
    _said(user_id="u"),
    _said(anonymous_id="a"),
    _said(traits={"email": "a@b.test"}),
    _said("unknown"),
    _said("strict"),
    _said("sealed"),
    _said("closed", context={"path": "/admin"}),
    _said("keeps", user_id="u"),
    _said("keeps", context={"userAgent": GOOGLEBOT}),
    _said(context={"userAgent": GOOGLEBOT}),
    _said(context={"userAgent": None}),
    _said(by_server=True),
]


@pytest.mark.parametrize("unusual", [None, *UNUSUAL], ids=str)
@pytest.mark.parametrize(
    "sender",
    [
        _sent_by(CHROME),
        _sent_by(CHROME, Origin="https://elsewhere.test"),
        _sent_by(CHROME, Purpose="prefetch"),
        _sent_by(CHROME, Sec_Gpc="1"),
        _sent_by(GOOGLEBOT),
        _sent_by(""),
    ],
    ids=str,
)
def test_events_of_a_batch_are_sorted_as_each_would_be_alone(unusual: ClaimedEvent | None, sender: Sender):
    projects = Registered(
        ProjectSettings(id="shop"),
        ProjectSettings(id="strict", origins=("shop.test",)),
        ProjectSettings(id="sealed", blocked_networks=("203.0.113.0/24",)),
        ProjectSettings(id="closed", blocked_pages=("/admin",)),
        ProjectSettings(id="keeps", identity="keep", bots="keep"),
    )
    usual = [_said(context={"userAgent": CHROME}), _said(), _said("keeps")]
    events = [*usual, unusual, *usual] if unusual else usual
    outcomes = [_alone(event, sender, projects) for event in events]
    became: Sorted = sort_events(Reading([*enumerate(events)], is_batch=True), sender, projects)
    assert became.wanted == [event for event in outcomes if isinstance(event, ClaimedEvent)]
    assert became.dropped == [(index, why) for index, why in enumerate(outcomes) if isinstance(why, DropReason)]
