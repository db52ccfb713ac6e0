"""`make screenshots`: takes a picture of every page, of a house with an invented night in it, into docs/pictures.

Times and case numbers are those of the moment at which it is run; subjects, events and people are invented.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.desk.conftest import QUIET, chromium
from tests.desk.night import CRS, DESK, PHONE, STUDY, Night
from tests.support.shapes import wait_until

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
PHYSICIAN, SITE = "lin", "gao"
OF_THE_DESK = {
    "board": "/desk", "cases": "/desk/cases", "case": "/desk/cases/TOC-0001", "dose": f"/desk/dose?study={STUDY}",
    "holds": "/desk/holds",
    "toxicity": f"/desk/toxicity?study={STUDY}", "coding": "/coding", "deliveries": "/desk/deliveries",
    "audit": "/desk/audit", "on-call": "/desk/on-call", "call-plan": "/desk/on-call/plan",
    "addresses": "/desk/on-call/addresses", "people": "/desk/people", "me": "/desk/me", "keys": "/report/keys",
}  # fmt: skip
OF_A_SITE = {
    "report-start": "/report?lang=en", "report": "/report/new?lang=en", "receipt": "/report/receipts/TOC-0001?lang=en",
    "report-case": "/report/cases/TOC-0001?lang=en",
}  # fmt: skip
TALLEST = 1400


def main() -> int:
    found = chromium()
    if found is None:
        print("No Chromium is installed; on Debian and Ubuntu: apt install chromium", file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=QUIET)
        night = Night.begins(Path(folder), browser)
        try:
            _fill(night)
            _take(night)
        finally:
            night.ends()
            browser.close()
    return 0


def _fill(night: Night) -> None:
    """Three subjects at the first dose, and a night with a syndrome, a laboratory value and odd words."""
    night.person(PHYSICIAN, "safety_physician", "medical_director", "administrator", "coder", "auditor", "safety_team")
    night.person(SITE, "site", of=(STUDY, "S01"))
    for subject, days in (("S01-001", 40), ("S01-002", 12), ("S01-003", 6)):
        night.infused(subject, days)
    course = night.course(("astct", 2, 24), ("astct", 3, 12), ("astct", 4, 5))
    night.report("S01-003", "Cytokine release syndrome", **{**CRS, "grade": {"ctcae": 3, "astct": 4}, "course": course})
    night.report("S01-002", "Platelet count decreased", serious=False, outcome="not_recovered", grade={"ctcae": 4})
    night.report("S01-002", "foggy, word finding trouble", serious=True, seriousness=["hospitalisation"],
                 grade={"ctcae": 2})  # fmt: skip
    night.report("S01-001", "Pneumonia", serious=True, seriousness=["hospitalisation"], outcome="recovered",
                 grade={"ctcae": 3})  # fmt: skip
    wait_until(lambda: len(list((night.shape.folder / "data" / "mailbox").glob("*.eml"))) >= 4, "the mails")


def _take(night: Night) -> None:
    desk, site, phone = (
        night.signed_in(PHYSICIAN), night.signed_in(SITE), night.signed_in(PHYSICIAN, PHONE, scheme="dark")
    )  # fmt: skip
    for name, path in OF_THE_DESK.items():
        _picture(night, desk, path, name)
    for name, path in OF_A_SITE.items():
        _picture(night, site, path, name)
    _picture(night, phone, "/desk", "board-phone")
    phone.goto(night.shape.alerting + "/desk/cases/TOC-0001")
    alarm = phone.locator("form[action^='/a/']").first.get_attribute("action")
    _picture(night, phone, str(alarm), "alarm-phone")
    stranger = night.page()
    _picture(night, stranger, "/sign-in", "sign-in")


def _picture(night: Night, page: Page, path: str, name: str) -> None:
    page.goto(night.shape.alerting + path, wait_until="load")
    page.wait_for_load_state("load")
    if path == "/desk":
        page.locator("#dose-cards .card").first.wait_for()
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    size = page.viewport_size or DESK
    page.set_viewport_size({"width": size["width"], "height": max(height, 600)})
    page.screenshot(path=PICTURES / f"{name}.png")
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    print(f"docs/pictures/{name}.png")


if __name__ == "__main__":
    sys.exit(main())
