"""A house with a night in it: subjects infused, events reported, alarms that ring; and people at their browsers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, BrowserContext, Page

from tests.flow.people import SiteFeed, site
from tests.support.shapes import Shape, one_process

STUDY = "NCT06223646"
PASSWORD = "a long night, quiet so far"
SHANGHAI = ZoneInfo("Asia/Shanghai")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@dataclass
class Night:
    """One house, its first site, and everything that browsers said on their consoles."""

    shape: Shape
    feed: SiteFeed
    browser: Browser
    said: list[str] = field(default_factory=list)
    _open: list[BrowserContext] = field(default_factory=list)

    @classmethod
    def begins(cls, folder: Path, browser: Browser) -> Night:
        shape = one_process(folder)
        shape.start()
        return cls(shape, site(shape), browser)

    def ends(self) -> None:
        for context in self._open:
            context.close()
        self.shape.end()

    def person(self, name: str, *roles: str, of: Sequence[str] = ()) -> None:
        """An account; `of`: the study and the site of a person of a site."""
        self.shape.person(name, PASSWORD, *roles, of=of)

    def page(self, size: dict[str, int] = DESK, *, scheme: Any = "light", **more: Any) -> Page:
        """A browser of its own, at which nobody has signed in."""
        context = self.browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB", **more)  # type: ignore[arg-type]
        self._open.append(context)
        page = context.new_page()
        page.on("console", lambda message: self.said.append(f"{page.url} {message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"{page.url} {error}"))
        return page

    def signed_in(self, name: str, size: dict[str, int] = DESK, **how: Any) -> Page:
        """A browser at which this person has signed in."""
        page = self.page(size, **how)
        page.goto(f"{self.shape.alerting}/sign-in")
        sign_in(page, name)
        return page

    def infused(self, subject: str, days_ago: int, level: str = "DL1") -> None:
        at = local(timedelta(days=days_ago))
        answer = self.feed.post(
            {"kind": "infusion", "subject": subject, "level": level, "started_at": at, "planned": 1.0, "given": 1.0,
             "unit": "10^6 cells/kg"},
            "/v1/doses",
        )  # fmt: skip
        assert answer.status_code == 201, answer.text

    def report(self, subject: str, verbatim: str, **facts: Any) -> str:
        """A report of one event, related to the product; its case number."""
        event = {
            "verbatim": verbatim, "causality": [{"agent": "product", "party": "investigator", "relation": "related"}],
            "investigator_aware_at": local(timedelta(hours=1)) + "+08:00", "onset": local(timedelta(days=1)), **facts,
        }  # fmt: skip
        reporter = {"name": "Dr Gao Ning", "role": "investigator"}
        receipt = self.feed.report(
            {"subject": subject, "reporter": reporter, "product": "KQ-2003", "events": [event]}
        )  # fmt: skip
        return str(receipt["case_id"])

    def course(self, *steps: tuple[str, int, int]) -> list[dict[str, Any]]:
        """A course of grades: scale, grade, and how many hours ago it began."""
        return [
            {"scale": scale, "grade": grade, "from": local(timedelta(hours=hours))} for scale, grade, hours in steps
        ]


def local(ago: timedelta) -> str:
    """A moment before now, as a site in Shanghai writes it."""
    return f"{datetime.now(SHANGHAI) - ago:%Y-%m-%dT%H:%M}"


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """By the form on the page."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    # The page that comes is read, not the one that is going: checking a password takes its time.
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="Sign in").click()


CRS: dict[str, Any] = {
    "serious": True, "seriousness": ["life_threatening", "hospitalisation"], "outcome": "not_recovered",
    "grade": {"ctcae": 4, "astct": 4}, "treatment": "tocilizumab",
}  # fmt: skip
