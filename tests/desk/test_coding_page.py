"""The coding queue in a real browser, worked by the keyboard alone; the same page on a phone and without a script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.desk.test_page_behind_the_mail import PASSWORD
from tests.flow.people import FATAL, SiteFeed, site
from tests.support.shapes import Shape, one_process, wait_until

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000
WORDS = ("felt funny after lunch", "line site a bit red", "nausea and fever", "<script>alert(1)</script> odd")
FIRST = "TOC-0001-E1"


@dataclass
class Coding:
    """A house with four events that wait, and a coder's screen. `said`: what the browser complained of."""

    shape: Shape
    feed: SiteFeed
    screen: Page
    said: list[str]

    @property
    def heading(self) -> str:
        return self.screen.get_by_role("heading", level=1).inner_text()

    @property
    def shown(self) -> str:
        return self.screen.locator("#h-term").inner_text()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.screen.keyboard.press(key)

    def go(self, key: str) -> None:
        """Press a key that leads to another page."""
        with self.screen.expect_navigation(wait_until="load"):
            self.press(key)

    def type(self, text: str) -> None:
        self.screen.keyboard.type(text)

    def has_focus(self, name: str) -> None:
        expect(self.screen.locator(f"[name={name}]:focus")).to_have_count(1)


def sign_in(page: Page, coder: str) -> None:
    page.goto(f"{coder}/coding")
    page.get_by_label("Name").fill("coder1")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def coding(tmp_path: Any, browser: Browser) -> Iterator[Coding]:
    shape = one_process(tmp_path)
    try:
        shape.start()
        shape.person("coder1", PASSWORD, "coder")
        feed = site(shape)
        for words in WORDS:
            feed.report({**FATAL, "events": [{"verbatim": words, "onset": "2026-05-11", "serious": False}]})
        login = httpx.post(f"{shape.coder}/v1/sessions", json={"name": "coder1", "password": PASSWORD}).json()["token"]
        wait_until(
            lambda: (
                httpx.get(f"{shape.coder}/v1/codings", headers={"Authorization": f"Bearer {login}"}).json()["total"]
                == len(WORDS)
            ),
            "all are coded",
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        screen = context.new_page()
        said: list[str] = []
        sign_in(screen, shape.coder)
        screen.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        screen.on("pageerror", lambda error: said.append(str(error)))
        yield Coding(shape, feed, screen, said)
        context.close()
    finally:
        shape.end()


@pytest.mark.rule("promise: the coding queue is worked by keyboard alone")
def test_the_queue_is_worked_by_the_keyboard_alone(coding: Coding) -> None:
    screen = coding.screen
    assert (coding.heading, coding.shown) == ("4 terms to review", "“felt funny after lunch”")

    coding.go("j")
    assert coding.shown == "“line site a bit red”"
    coding.go("k")
    assert coding.shown == "“felt funny after lunch”"

    # A pick, a synonym, a note, and on to the next. Without a note Enter asks for it.
    coding.press("2", "y")
    picked = str(screen.locator("[data-key='2']").get_attribute("data-term"))
    expect(screen.locator("[data-says]")).to_have_text(f"Accept 2: {picked}")
    expect(screen.get_by_label("The words")).to_be_visible()
    coding.press("Enter")
    coding.has_focus("reason")
    coding.type("asked the site")
    coding.go("Enter")
    assert screen.get_by_role("status").inner_text().endswith(
        f"{FIRST} is coded as {picked} now. Its words are a synonym from now on."
    )  # fmt: skip
    assert (coding.heading, coding.shown) == ("3 terms to review", "“line site a bit red”")

    # A question to the site; the event goes on waiting.
    coding.press("q")
    coding.has_focus("question")
    coding.press("Control+A")
    coding.type("Which vein was it?")
    coding.press("Tab")
    coding.go("Enter")
    expect(screen.get_by_role("status")).to_contain_text("Site S01 was asked about TOC-0002-E1")
    assert (coding.heading, coding.shown) == ("3 terms to review", "“nausea and fever”")

    # The split, as the coder proposes it.
    coding.press("x")
    coding.has_focus("part")
    assert [part.input_value() for part in screen.locator("[name=part]").all()] == ["nausea", "fever", ""]
    coding.go("Enter")
    expect(screen.get_by_role("status")).to_contain_text("Site S01 was asked about TOC-0003-E1")
    wait_until(
        lambda: (
            {q["question"][:22] for q in _queries(coding) if q["kind"] == "coding"}
            == {"Which vein was it?", "You wrote “nausea and "}
        ),
        "both questions at the site",
        told=lambda: _queries(coding),
    )

    # The words of a site are text; a search finds another term, and its first is picked.
    assert coding.shown == "“<script>alert(1)</script> odd”"
    coding.press("/")
    coding.has_focus("q")
    coding.type("chills")
    coding.go("Enter")
    coding.press("1", "n")
    coding.has_focus("reason")
    coding.type("seen on the sheet")
    coding.go("Enter")
    expect(screen.get_by_role("status")).to_contain_text("TOC-0004-E1 is coded as Chills now.")

    # What was decided last is taken back.
    coding.press("u")
    coding.has_focus("reason")
    coding.type("another subject's sheet")
    coding.go("Enter")
    expect(screen.get_by_role("status")).to_contain_text("The decision on TOC-0004-E1 was taken back.")
    assert (coding.heading, coding.shown) == ("3 terms to review", "“<script>alert(1)</script> odd”")
    assert coding.said == []

    # The site answers with other words: they are coded, and the event waits no more.
    [query] = [one["query_id"] for one in _queries(coding) if one["question"] == "Which vein was it?"]
    assert coding.feed.post({"value": "Phlebitis"}, f"/v1/queries/{query}/answers").status_code == 201

    def waits_no_more() -> bool:
        screen.goto(f"{coding.shape.coder}/coding?event=TOC-0002-E1")
        return coding.shown == "“Phlebitis”"

    wait_until(waits_no_more, "the answer is coded")
    assert coding.heading == "2 terms to review"
    expect(screen.get_by_text("Coded as Phlebitis")).to_be_visible()


def _queries(coding: Coding) -> list[dict[str, Any]]:
    key = {"Authorization": f"Bearer {coding.feed.key}"}
    found = httpx.get(f"{coding.shape.intake}/v1/queries", headers=key).json()
    listed: list[dict[str, Any]] = found["queries"] if isinstance(found, dict) else found
    return listed


def test_no_width_needs_sideways_scrolling_and_without_a_script_everything_is_there(
    coding: Coding, browser: Browser
) -> None:
    for width in (320, 390, 1440):
        coding.screen.set_viewport_size({"width": width, "height": 844})
        assert coding.screen.evaluate("document.documentElement.scrollWidth") <= width
    assert coding.said == []

    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    plain = context.new_page()
    sign_in(plain, coding.shape.coder)
    plain.locator("label[for=c1]").click()
    plain.get_by_label("Note for the record").fill("asked the site")
    plain.get_by_role("button", name="Accept the picked term").click()
    assert f"{FIRST} is coded as" in plain.get_by_role("status").inner_text()
    context.close()
