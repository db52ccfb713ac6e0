"""The night on a phone, in a real browser: the link in the mail, sign in, acknowledge; and the mailbox page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.flow.people import FATAL, SiteFeed, desk, site
from tests.support.shapes import Shape, one_process, wait_until

pytestmark = pytest.mark.browser

PASSWORD = "a long night, quiet so far"


@dataclass
class Night:
    """A house with one death reported, and the physician's phone."""

    shape: Shape
    feed: SiteFeed
    phone: Page
    case_id: str
    said: list[str]

    @property
    def link(self) -> str:
        return self.links()[0]

    def links(self) -> list[str]:
        return [found for mail in mails(self.shape) for found in re.findall(r"http\S+/a/[0-9a-f-]+", mail)]

    def sign_in(self, password: str = PASSWORD) -> None:
        self.phone.get_by_label("Name").fill("physician")
        self.phone.get_by_label("Password").fill(password)
        # The page that comes is read, not the one that is going: checking a password takes its time.
        with self.phone.expect_navigation(wait_until="load"):
            self.phone.get_by_role("button", name="Sign in").click()


def mails(shape: Shape) -> list[str]:
    """The texts of the mails to physicians in the mailbox."""
    found = []
    for file in sorted((shape.folder / "data" / "mailbox").glob("*.eml")):
        text: Any = message_from_bytes(file.read_bytes(), policy=default).get_body(("plain",))
        found.append(str(text.get_content()))
    return found


@pytest.fixture
def night(tmp_path: Path, browser: Browser) -> Iterator[Night]:
    shape = one_process(tmp_path)
    try:
        shape.start()
        desk(shape, "safety_physician")
        feed = site(shape)
        case_id = feed.report(FATAL)["case_id"]
        wait_until(lambda: any("/a/" in mail for mail in mails(shape)), "the mail", 30)
        context: BrowserContext = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
        said: list[str] = []
        phone = context.new_page()
        phone.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        phone.on("pageerror", lambda error: said.append(str(error)))
        yield Night(shape, feed, phone, case_id, said)
        context.close()
    finally:
        shape.end()


def test_from_the_mail_to_the_acknowledgement_on_a_phone(night: Night) -> None:
    phone = night.phone
    phone.goto(night.link)
    assert phone.get_by_role("heading", level=1).inner_text() == "Death"
    assert night.case_id in phone.content()
    # Before signing in the page shows no more than the mail did.
    for inside in ("S01-003", "Cytokine", "KQ-2003", "NCT06223646", "grade"):
        assert inside not in phone.content()

    night.sign_in()
    assert "ASSUMED RULES, not approved by the sponsor" in phone.content()
    phone.get_by_role("button", name="Acknowledge").click()

    assert "Acknowledged by physician" in phone.get_by_role("status").inner_text()
    assert phone.get_by_role("button", name="Acknowledge").count() == 0
    assert night.said == []


def test_opening_the_link_changes_nothing_and_a_wrong_password_shows_nothing(night: Night) -> None:
    physician = desk_of(night)
    night.phone.goto(night.link)
    night.phone.reload()
    night.sign_in("not the password")

    assert "ASSUMED RULES" not in night.phone.content()
    [alert] = [a for a in physician.alerts(case_id=night.case_id) if a["level"] == "page"]
    assert alert["state"] == "open"


def test_the_phone_needs_no_sideways_scrolling_and_fetches_nothing_from_outside(night: Night) -> None:
    asked: list[str] = []
    night.phone.on("request", lambda request: asked.append(request.url))
    night.phone.goto(night.link)
    night.sign_in()

    width = night.phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    assert [url for url in asked if not url.startswith(night.shape.alerting)] == []


def test_the_mailbox_page_shows_the_mail_after_signing_in(night: Night) -> None:
    night.phone.goto(f"{night.shape.alerting}/mailbox")
    assert night.case_id not in night.phone.content()
    night.sign_in()

    assert f"{night.case_id}: death, 7-day clock" in night.phone.content()


def desk_of(night: Night) -> Any:
    import httpx

    from tests.flow.people import Desk

    answer = httpx.post(f"{night.shape.alerting}/v1/sessions", json={"name": "physician", "password": PASSWORD})
    return Desk(night.shape, answer.json()["token"])
