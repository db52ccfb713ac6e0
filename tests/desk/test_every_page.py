"""Every page, in light and dark, at a desk and on a phone: no word on the console, nothing from outside, no sideways
scrolling, little to load, and nothing serious that axe-core finds against WCAG 2.2 A and AA."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request

from tests.desk.night import CRS, DESK, PHONE, STUDY, Night
from tests.support.shapes import wait_until

pytestmark = pytest.mark.browser

PHYSICIAN, SITE = "lin", "gao"
OF_THE_DESK = (
    "/desk", "/desk/cases", "/desk/cases/TOC-0001", "/desk/cases/TOC-0002", f"/desk/dose?study={STUDY}",
    f"/desk/toxicity?study={STUDY}", "/desk/holds", "/coding", "/desk/deliveries", "/desk/audit", "/desk/on-call",
    "/desk/people",
    "/desk/me", "/report/keys", "/mailbox",
)  # fmt: skip
OF_A_SITE = (
    "/report?lang=zh", "/report/new?lang=zh", "/report/new?lang=en", "/report/cases/TOC-0001?lang=zh",
    "/report/receipts/TOC-0001?lang=zh",
)  # fmt: skip
PAGES = [*((PHYSICIAN, path) for path in OF_THE_DESK), *((SITE, path) for path in OF_A_SITE), ("", "/sign-in")]
MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Night]:
    found = Night.begins(tmp_path_factory.mktemp("pages"), browser)
    try:
        found.person(
            PHYSICIAN, "safety_physician", "medical_director", "administrator", "coder", "auditor", "safety_team"
        )
        found.person(SITE, "site", of=(STUDY, "S01"))
        found.infused("S01-002", 20)
        found.infused("S01-003", 6)
        found.report("S01-003", "Cytokine release syndrome", **CRS)
        found.report("S01-002", "foggy, word finding trouble", grade={"ctcae": 2})
        wait_until(lambda: list((found.shape.folder / "data" / "mailbox").glob("*.eml")), "the mail")
        yield found
    finally:
        found.ends()


@pytest.fixture(scope="module")
def open_pages(night: Night) -> dict[tuple[str, str, str], Page]:
    """One browser for each person, scheme and size, opened when it is asked for."""
    return {}


def browser_of(night: Night, known: dict[tuple[str, str, str], Page], name: str, scheme: str, size: str) -> Page:
    key = (name, scheme, size)
    if key not in known:
        how: dict[str, Any] = {"size": DESK if size == "desk" else PHONE, "scheme": scheme}
        known[key] = night.signed_in(name, **how) if name else night.page(**how)
    return known[key]


@pytest.mark.parametrize(("scheme", "size"), [("light", "desk"), ("dark", "phone")])
@pytest.mark.parametrize(("name", "path"), PAGES)
def test_a_page_is_whole_small_quiet_and_for_everybody(
    night: Night, open_pages: dict[tuple[str, str, str], Page], name: str, path: str, scheme: str, size: str
) -> None:
    page = browser_of(night, open_pages, name, scheme, size)
    night.said.clear()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    answer = page.goto(night.shape.alerting + path)

    assert answer is not None
    assert answer.status == 200
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    loaded = page.evaluate(
        "[performance.getEntriesByType('navigation'), performance.getEntriesByType('resource')].flat()"
        ".reduce((sum, one) => sum + one.decodedBodySize, 0)"
    )
    assert 0 < loaded < MOST_BYTES
    page.remove_listener("request", note)
    assert [url for url in asked if not url.startswith(night.shape.alerting)] == []
    serious = [
        f"{one['id']}: {one['help']} at {[node['target'] for node in one['nodes']][:4]}"
        for one in Axe()
        .run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        .response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert night.said == []


def test_every_page_that_is_linked_stands_in_this_table(
    night: Night, open_pages: dict[tuple[str, str, str], Page]
) -> None:
    """So that a new page is looked at, too."""
    page = browser_of(night, open_pages, PHYSICIAN, "light", "desk")
    page.goto(f"{night.shape.alerting}/desk")
    linked = page.evaluate("[...document.querySelectorAll('.nav a')].map((one) => one.getAttribute('href'))")
    assert {re.sub(r"\?.*", "", path) for path in OF_THE_DESK} >= set(linked)
