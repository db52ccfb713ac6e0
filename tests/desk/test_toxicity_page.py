"""The toxicity page in a real browser: what is counted, who it is, on a phone, on paper and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.desk.test_page_behind_the_mail import PASSWORD
from tests.flow.people import SiteFeed, desk, site
from tests.support.shapes import Shape, one_process

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000
RELATED = [{"agent": "product", "party": "investigator", "relation": "related"}]


@dataclass
class Look:
    """A house, and the page of a physician who looks at it. `said`: what the browser complained of."""

    shape: Shape
    screen: Page
    said: list[str] = field(default_factory=list)


def reported(subject: str, verbatim: str, grade: int, days_ago: float) -> dict[str, Any]:
    began = datetime.now(UTC) - timedelta(days=days_ago)
    event = {"verbatim": verbatim, "onset": began.isoformat(timespec="minutes"), "serious": False,
             "grade": {"ctcae": grade}, "causality": RELATED}  # fmt: skip
    reporter = {"name": "Dr Gao", "role": "investigator"}
    return {"subject": subject, "product": "KQ-2003", "reporter": reporter, "events": [event]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shape]:
    """A house with two subjects: a headache of grade 1 and one of grade 3, and an event before infusion."""
    shape = one_process(tmp_path_factory.mktemp("house"))
    try:
        shape.start()
        desk(shape, "safety_physician")
        feed: SiteFeed = site(shape)
        for subject, level in (("S01-004", "DL1"), ("S01-005", "DL2")):
            started = datetime.now(UTC) - timedelta(days=9)
            given = {"kind": "infusion", "subject": subject, "level": level, "started_at": started.isoformat(),
                     "planned": 1.0, "given": 1.0, "unit": "10^6 cells/kg"}  # fmt: skip
            assert feed.post(given, "/v1/doses").status_code == 201
        feed.report(reported("S01-004", "Headache", 1, 5))
        feed.report(reported("S01-005", "Headache", 3, 4))
        feed.report(reported("S01-005", "Nausea", 2, 12))
        yield shape
    finally:
        shape.end()


def opened(
    house: Shape, browser: Browser, *, width: int = 1440, scheme: Literal["light", "dark"] = "light", query: str = ""
) -> Look:
    """The page, once everything that was reported is coded and stands on it."""
    context = browser.new_context(
        viewport={"width": width, "height": 844}, locale="en-GB", color_scheme=scheme, accept_downloads=True
    )
    look = Look(house, context.new_page())
    look.screen.goto(f"{house.alerting}/desk/toxicity{query}")
    look.screen.get_by_label("Name").fill("physician")
    look.screen.get_by_label("Password").fill(PASSWORD)
    look.screen.on("console", lambda message: look.said.append(f"{message.type}: {message.text}"))
    look.screen.on("pageerror", lambda error: look.said.append(str(error)))
    with look.screen.expect_navigation(wait_until="load"):
        look.screen.get_by_role("button", name="Sign in").click()
    for _ in range(60):
        rows = look.screen.get_by_role("rowheader")
        if rows.filter(has_text="not coded").count() == 0 and rows.filter(has_text="Headache").count() > 0:
            break
        look.screen.wait_for_timeout(500)
        look.screen.reload()
    return look


@pytest.fixture
def look(house: Shape, browser: Browser) -> Iterator[Look]:
    found = opened(house, browser)
    yield found
    found.screen.context.close()


def test_the_heading_answers_and_a_number_leads_to_who_it_is(look: Look) -> None:
    heading = look.screen.get_by_role("heading", level=1)
    expect(heading).to_have_text("2 treated. 1 with an event of grade 3 or more.", timeout=PATIENCE_MS)
    number = look.screen.get_by_role("link", name="1, DL2, grade 3: who").first
    number.focus()
    look.screen.keyboard.press("Enter")
    expect(look.screen.locator("#who-t1")).to_be_visible()
    expect(look.screen.locator("#who-t1")).to_contain_text("DL2, grade 3: S01-005")
    assert look.said == []


def test_a_filter_is_a_form_that_works_without_a_script(look: Look) -> None:
    expect(look.screen.locator("#left-1")).to_contain_text("Began before the first infusion: 1")
    look.screen.get_by_label("Onset", exact=True).select_option("all")
    with look.screen.expect_navigation():
        look.screen.get_by_role("button", name="Show").click()
    assert "from=all" in look.screen.url
    expect(look.screen.get_by_role("rowheader", name="Nausea")).to_be_visible()
    expect(look.screen.get_by_text("Every reported event counts.")).to_be_visible()
    assert look.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_no_page_width_needs_sideways_scrolling_and_the_table_scrolls_in_its_own_box(
    house: Shape, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    look = opened(house, browser, width=width, scheme=scheme)
    assert look.screen.evaluate("document.documentElement.scrollWidth") <= width
    box = look.screen.locator("#box-heat")
    box.focus()
    assert look.screen.evaluate("document.activeElement.id") == "box-heat"
    if width < 720:
        assert box.evaluate("one => one.scrollWidth > one.clientWidth")
        look.screen.keyboard.press("ArrowRight")
        look.screen.wait_for_timeout(500)
        assert box.evaluate("one => one.scrollLeft") > 0
    assert look.said == []
    look.screen.context.close()


def test_on_paper_there_are_no_controls_and_everything_is_open(look: Look) -> None:
    look.screen.emulate_media(media="print")
    expect(look.screen.get_by_role("button", name="Show")).to_be_hidden()
    expect(look.screen.get_by_role("link", name="Download CSV")).to_be_hidden()
    shade = look.screen.locator("td.c3").first.evaluate("one => getComputedStyle(one).backgroundColor")
    assert shade == "rgb(255, 255, 255)"
    expect(look.screen.locator("#time-table table")).to_be_visible()
    assert look.screen.pdf(format="A4").startswith(b"%PDF")


def test_the_file_has_the_rows_of_the_page(look: Look) -> None:
    with look.screen.expect_download() as download:
        look.screen.get_by_role("link", name="Download CSV").click()
    name = download.value.suggested_filename
    assert name.startswith("toxicity-NCT06223646-20")
    assert name.endswith(".csv")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert [row["Preferred term"] for row in rows] == ["Headache", "Any event"]
    assert (rows[0]["DL1 grade 1"], rows[0]["DL2 grade 3"], rows[0]["All grade 3 or more"]) == ("1", "1", "1")
    assert look.said == []
