"""The pages for whoever runs a server: what is set on them holds, and what projects and letters say is never markup."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from browsing import Page, Watched, chromium
from records import admitted
from serving import Served, an_event
from waiting import wait_until

from glimpse.buffer import DeadLetters, Letter, connect
from glimpse.settings import Settings
from glimpse.valkey import EmbeddedValkey

pytestmark = [pytest.mark.server, pytest.mark.browser]
PAYLOAD = "<img src=x onerror='window.fired=1'>"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("backstage")
    with Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_FLUSH_INTERVAL_S="0.2") as running:
        yield running


def set_aside(served: Served, letters: list[Letter]) -> None:
    async def add() -> None:
        async with connect(EmbeddedValkey(Settings(data_dir=served.data_dir)).url) as redis:
            await DeadLetters(redis).add(letters)

    asyncio.run(add())


def valkey_pid(served: Served) -> int:
    return int(next(served.data_dir.rglob("*.pid")).read_text())


def wait_for(page: Page, selector: str, text: str) -> None:
    wait_until(lambda: text in " ".join(page.locator(selector).all_inner_texts()), what=f"{text!r} in {selector}")


def nothing_has_fired(page: Page) -> None:
    assert page.evaluate("() => window.fired") is None
    page.evaluate("html => { document.createElement('div').innerHTML = html }", PAYLOAD)
    page.wait_for_function("() => window.fired === 1")  # the control: had it been markup, it would have run


def test_a_project_is_added_lights_up_with_its_first_event_is_set_and_taken_off_the_list(served: Served):
    assert served.post(an_event("there-before"))[0] == 200
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?view=projects")
        page.get_by_role("button", name="there-before").wait_for()
        page.get_by_label("Id of a new project").fill("new site")
        page.get_by_role("button", name="Add", exact=True).click()
        wait_for(page, ".add .wrong", "is no project id")
        page.get_by_label("Id of a new project").fill("new-site")
        page.keyboard.press("Enter")
        wait_for(page, ".first", "Waiting for the first event")
        assert 'data-project="new-site"' in page.locator(".right code").inner_text()
        assert served.post(an_event("new-site"))[0] == 200
        wait_for(page, ".first", "Events are coming in")
        see_what_can_be_set(page, served)
        page.get_by_role("button", name="Take off the list").click()
        page.get_by_role("button", name="Really?").click()
        wait_for(page, ".title", "not registered; its events are taken")
        assert (watched.errors, watched.strays) == ([], [])
        nothing_has_fired(page)


def see_what_can_be_set(page: Page, served: Served) -> None:
    """Set what is not allowed, then what is; see that the edge goes by it and that it is there when one comes back."""
    page.get_by_label("Name", exact=True).fill(PAYLOAD)
    page.get_by_label("Origins").fill("nonsense")
    page.get_by_label("Retention days").fill("0")
    page.get_by_role("button", name="Save").click()
    wait_for(page, "#wrong-origins", "is no origin")
    wait_for(page, "#wrong-retention_days", "a whole number from 1")
    assert page.get_by_label("Origins").evaluate("el => el.matches(':focus')")
    page.get_by_label("Origins").fill("https://a.test\nhttps://*.b.test")
    page.get_by_label("Retention days").fill("30")
    page.get_by_role("button", name="Save").click()
    wait_for(page, ".said", "Saved")
    wait_for(page, ".row .name", PAYLOAD)
    assert served.post(an_event("new-site"), Origin="https://c.test")[1]["errors"]
    assert served.post(an_event("new-site"), Origin="https://x.b.test")[0] == 200
    page.reload()
    wait_until(lambda: page.get_by_label("Retention days").input_value() == "30", what="what was saved")
    assert page.get_by_label("Origins").input_value() == "https://a.test\nhttps://*.b.test"
    assert page.get_by_label("Name", exact=True).input_value() == PAYLOAD


def test_operations_shows_books_that_balance_and_letters_as_text_and_plays_them_again(served: Served):
    lost = Letter(f"entry:{PAYLOAD}", PAYLOAD, {PAYLOAD: 1}, b"", is_replayable=False)
    found = Letter.of_event(admitted("found", project="books"), "it was refused")
    assert served.post([an_event("books") for _ in range(3)])[0] == 200
    set_aside(served, [lost, found])
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?view=operations")
        wait_for(page, ".letters", PAYLOAD)
        wait_for(page, ".letters", "it was refused")
        wait_for(page, "tbody", "books")
        assert stored_of_books(watched, page) == "3"
        page.get_by_role("button", name="Play all again").click()
        wait_for(page, ".said", "1 letter played again. 1 letter can not be.")
        wait_until(lambda: stored_of_books(watched, page) == "4", what="the event of the letter is stored")
        nothing_has_fired(page)


def test_operations_says_what_is_not_known_while_redis_is_away_and_lies_over_no_page_s_name(served: Served):
    with chromium() as watched:
        page = watched.open(f"{served.url}/glimpse_app?view=operations")
        wait_for(page, ".tile", "Balanced")
        valkey = valkey_pid(served)
        os.kill(valkey, signal.SIGSTOP)
        try:
            wait_for(page, ".tile", "Redis does not answer")
            wait_for(page, ".none", "Unknown for as long as Redis does not answer")
            line = page.locator(".g-status [role=status]")
            wait_until(lambda: "Delayed" in line.inner_text(), what="the line")
            ends = [box["x"] + box["width"] for one in page.locator("nav button").all() if (box := one.bounding_box())]
            assert len(ends) == 7
            assert max(ends) <= line.bounding_box()["x"]
        finally:
            os.kill(valkey, signal.SIGCONT)
        wait_for(page, ".tile", "Balanced")


def stored_of_books(watched: Watched, page: Page) -> str:
    assert (watched.errors, watched.strays) == ([], [])
    line = page.locator("tbody tr", has=page.get_by_role("rowheader", name="books", exact=True))
    return line.locator("td").nth(1).inner_text()


def test_a_viewer_from_elsewhere_may_look_but_change_nothing(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("public")
    with Served(folder / "data", GLIMPSE_ALLOW_HEADLESS="1", GLIMPSE_PUBLIC="1") as served, chromium() as watched:
        elsewhere = {"extra_http_headers": {"X-Forwarded-For": "203.0.113.7"}}
        page = watched.open(f"{served.url}/glimpse_app?view=projects", **elsewhere)
        wait_for(page, ".add .note", "on the server's own machine")
        assert page.get_by_label("Id of a new project").is_disabled()
        # A browser that says it nevertheless.
        page.evaluate("""() => {
            for (const doc of Bokeh.documents) for (const model of doc._all_models.values())
                if (model.data && "wanted" in (model.data.attributes ?? {}))
                    model.data.wanted = JSON.stringify({do: "add", project: "sneaked-in", values: {}, n: 1})
        }""")
        wait_for(page, ".add .wrong", "on the server's own machine")
        assert "sneaked-in" not in " ".join(page.locator(".left .list").all_inner_texts())
