"""The pages of people, on call, deliveries and audit in a real browser, at a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.desk.test_page_behind_the_mail import PASSWORD
from tests.flow.people import FATAL, desk, site
from tests.support.shapes import Shape, one_process, wait_until

pytestmark = pytest.mark.browser

PAGES = {
    "/desk/people": "people may sign in",
    "/desk/people/one?name=physician": "physician is signed in.",
    "/desk/me": "You are boss.",
    "/desk/on-call": "is rung first",
    "/desk/on-call/plan": "The study has no call plan.",
    "/desk/on-call/addresses": "addresses",
    "/desk/deliveries": "Every delivery has arrived.",
    "/desk/audit": "lines say who did what, and why.",
}


@dataclass
class Screen:
    """A browser window, and what it complained of."""

    shape: Shape
    page: Page
    said: list[str]

    def goes(self, path: str) -> str:
        """To a page; its heading."""
        self.page.goto(f"{self.shape.alerting}{path}")
        return self.page.get_by_role("heading", level=1).inner_text()

    def signs_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.goto(f"{self.shape.alerting}/sign-in?next=/desk/me")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.clicks("Sign in")

    def clicks(self, button: str) -> None:
        # The page that comes is read, not the one that is going.
        with self.page.expect_navigation(wait_until="load"):
            self.page.get_by_role("button", name=button, exact=True).click()


def has_arrived(deliveries: list[dict[str, Any]]) -> bool:
    return bool(deliveries) and all(one["state"] == "delivered" for one in deliveries)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shape]:
    """A house with an administrator, a physician who is signed in, and one death reported."""
    shape = one_process(tmp_path_factory.mktemp("house"))
    try:
        shape.start()
        physician = desk(shape, "safety_physician")
        shape.person("boss", PASSWORD, "administrator")
        site(shape).report(FATAL)
        wait_until(lambda: has_arrived(physician.get("/v1/deliveries")["deliveries"]), "the mail", 30)
        yield shape
    finally:
        shape.end()


def opened(house: Shape, browser: Browser, width: int, **how: Any) -> Screen:
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB", **how)
    context.set_default_timeout(20_000)
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    return Screen(house, page, said)


@pytest.mark.parametrize("width", [1440, 390])
def test_each_page_opens_without_a_complaint_and_without_sideways_scrolling(
    house: Shape, browser: Browser, width: int
) -> None:
    screen = opened(house, browser, width)
    screen.signs_in("boss")
    for path, heading in PAGES.items():
        assert heading in screen.goes(path), path
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert screen.said == []


def test_somebody_who_was_added_signs_in_with_the_password_that_was_shown_once(house: Shape, browser: Browser) -> None:
    boss = opened(house, browser, 1440)
    boss.signs_in("boss")
    boss.goes("/desk/people")
    boss.page.get_by_label("Name to sign in with").fill("Wu Li")
    boss.page.get_by_label(re.compile("^auditor")).check()
    boss.clicks("Add")
    password = boss.page.locator(".secret").inner_text()
    assert boss.page.get_by_role("heading", level=1).inner_text() == "A password for wu li"

    wu = opened(house, browser, 390)
    wu.signs_in("Wu Li", password)
    assert wu.page.get_by_role("heading", level=1).inner_text() == "You are wu li."
    wu.goes("/desk/audit")
    wu.clicks("Verify the whole chain")
    assert "Verified up to line" in wu.page.get_by_role("status").inner_text()

    boss.goes("/desk/people/one?name=wu+li")
    boss.clicks("End all sessions")
    wu.page.reload()
    assert wu.page.get_by_role("button", name="Sign in", exact=True).count() == 1
    assert boss.said == []


def test_an_audit_file_is_saved_and_the_page_stays(house: Shape, browser: Browser) -> None:
    screen = opened(house, browser, 1440)
    screen.signs_in("boss")
    screen.goes("/desk/audit?did=signed+in")
    for _ in range(2):
        with screen.page.expect_download() as coming:
            screen.page.get_by_role("link", name="CSV").click()
        assert coming.value.suggested_filename.startswith("tocsin-audit-alerting-")
    assert "lines say who did what" in screen.page.get_by_role("heading", level=1).inner_text()


def test_a_plan_is_checked_and_saved_without_a_script(house: Shape, browser: Browser) -> None:
    screen = opened(house, browser, 390, java_script_enabled=False)
    screen.signs_in("boss")
    screen.goes("/desk/on-call/plan")
    screen.clicks("Check")
    assert "It can be saved" in screen.page.get_by_role("status").first.inner_text()
    screen.page.get_by_label("Why (to save)").fill("the first plan")
    screen.clicks("Save")
    assert screen.page.get_by_role("heading", level=1).inner_text() == "Version 1 of the call plan counts."
    assert "is on duty as safety physician" in screen.goes("/desk/on-call")
