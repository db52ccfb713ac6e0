"""The dose board on a screen that stays open, in a real browser: a report at a site changes it, and it says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.desk.test_page_behind_the_mail import PASSWORD
from tests.flow.people import SiteFeed, desk, site
from tests.support.shapes import Shape, one_process

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000


@dataclass
class Watch:
    """A house, and the board of a physician who looks at it. `said`: what the browser complained of."""

    shape: Shape
    feed: SiteFeed
    screen: Page
    said: list[str]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shape, SiteFeed]]:
    """A house with one subject, infused three days ago."""
    shape = one_process(tmp_path_factory.mktemp("house"))
    try:
        shape.start()
        desk(shape, "safety_physician")
        feed = site(shape)
        started = datetime.now(UTC) - timedelta(days=3)
        given = {"kind": "infusion", "subject": "S01-004", "level": "DL1", "started_at": started.isoformat(),
                 "planned": 1.0, "given": 1.0, "unit": "10^6 cells/kg"}  # fmt: skip
        assert feed.post(given, "/v1/doses").status_code == 201
        yield shape, feed
    finally:
        shape.end()


@pytest.fixture
def watch(house: tuple[Shape, SiteFeed], browser: Browser) -> Iterator[Watch]:
    shape, feed = house
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    screen = context.new_page()
    said: list[str] = []
    screen.goto(f"{shape.alerting}/desk/dose")
    screen.get_by_label("Name").fill("physician")
    screen.get_by_label("Password").fill(PASSWORD)
    screen.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    screen.on("pageerror", lambda error: said.append(str(error)))
    with screen.expect_navigation(wait_until="load"):
        screen.get_by_role("button", name="Sign in").click()
    expect(screen.locator("#box-subjects")).to_contain_text("S01-004", timeout=PATIENCE_MS)
    yield Watch(shape, feed, screen, said)
    context.close()


def crs(grade: int) -> dict[str, Any]:
    """A CRS of this grade that began an hour ago."""
    began = datetime.now(UTC) - timedelta(hours=1)
    relations = [{"agent": "product", "party": "investigator", "relation": "related"}]
    event = {"verbatim": "Cytokine release syndrome", "onset": began.isoformat(timespec="minutes"), "serious": False,
             "grade": {"ctcae": grade}, "causality": relations}  # fmt: skip
    reporter = {"name": "Dr Gao", "role": "investigator"}
    return {"subject": "S01-004", "product": "KQ-2003", "reporter": reporter, "events": [event]}


@pytest.mark.rule("promise: an open dose board follows every fact, with its reason")
def test_a_report_at_a_site_changes_the_open_board_with_its_reason(
    watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = watch.screen
    assert screen.get_by_text("No event waits for a limit").count() == 1
    screen.locator("#sum-plot-table").click()
    scrolled = screen.evaluate("window.scrollTo(0, 300); window.scrollY")

    begun = time.perf_counter()
    watch.feed.report(crs(4))
    accepted = time.perf_counter()
    verdict = screen.locator("#h-open").locator("xpath=ancestor::section").get_by_role("listitem").first
    expect(verdict).to_contain_text("S01-004, DL1: “Cytokine release syndrome”", timeout=PATIENCE_MS)
    changed = time.perf_counter()
    with capsys.disabled():
        print(f"\nthe open board: {changed - accepted:.2f} s after the receipt, {changed - begun:.2f} s after the post")

    expect(verdict).to_contain_text("DLT-02: cytokine release syndrome grade 4", timeout=PATIENCE_MS)
    expect(screen.get_by_role("status")).to_contain_text("S01-004: potential DLT", timeout=PATIENCE_MS)
    expect(screen.get_by_role("status")).to_contain_text("DLT-02")
    assert screen.locator("#plot-table").get_attribute("open") is not None
    assert screen.evaluate("document.activeElement.id") == "sum-plot-table"
    assert screen.evaluate("window.scrollY") == scrolled
    assert watch.said == []


@pytest.mark.rule("promise: an open dose board follows every fact, with its reason")
def test_a_board_that_is_cut_off_says_since_when_and_comes_back_by_itself(watch: Watch) -> None:
    watch.screen.context.set_offline(True)
    expect(watch.screen.get_by_role("alert")).to_contain_text("Not updated since", timeout=PATIENCE_MS)
    expect(watch.screen.get_by_role("alert")).to_contain_text("Phones may ring; if in doubt call")
    watch.screen.context.set_offline(False)
    expect(watch.screen.locator("#stale")).to_be_hidden(timeout=PATIENCE_MS)


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_no_page_width_needs_sideways_scrolling(watch: Watch, width: int) -> None:
    watch.screen.set_viewport_size({"width": width, "height": 844})
    assert watch.screen.evaluate("document.documentElement.scrollWidth") <= width


def test_without_its_script_the_board_is_whole_after_a_reload(watch: Watch, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(watch.screen.context.cookies())  # type: ignore[arg-type]
    plain = context.new_page()
    plain.goto(f"{watch.shape.alerting}/desk/dose")
    assert "Nobody may be infused before" in plain.get_by_role("heading", level=1).inner_text()
    assert "being worked out" not in plain.content().casefold()
    context.close()
