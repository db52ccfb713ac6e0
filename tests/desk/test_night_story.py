"""The night on a phone, whole: the mail, the login, acknowledge, assess, sign; and a board that changes while open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.desk.night import CRS, PASSWORD, PHONE, Night, sign_in
from tests.support.shapes import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def night(tmp_path: Path, browser: Browser) -> Iterator[Night]:
    found = Night.begins(tmp_path, browser)
    try:
        found.person("lin", "safety_physician")
        found.infused("S01-003", 6)
        yield found
    finally:
        found.ends()


def links(night: Night) -> list[str]:
    """The links of the mails that were sent, to any of the houses' alarms."""
    found: list[str] = []
    for file in sorted((night.shape.folder / "data" / "mailbox").glob("*.eml")):
        text: Any = message_from_bytes(file.read_bytes(), policy=default).get_body(("plain",))
        found += re.findall(r"http\S+/a/[0-9a-f-]+", str(text.get_content()))
    return found


def fits(phone: Page) -> bool:
    """Whether nothing needs sideways scrolling."""
    return bool(phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.rule("promise: the night on a phone")
def test_from_the_mail_to_the_signature_on_a_phone(night: Night) -> None:
    case = night.report("S01-003", "Cytokine release syndrome", **CRS)
    wait_until(lambda: links(night), "the mail")
    phone = night.page(PHONE)
    phone.goto(links(night)[0])
    assert "S01-003" not in phone.content()
    sign_in(phone, "lin")
    assert fits(phone)

    # Acknowledge: one button, in thumb reach, large enough for a hand that shakes.
    button = phone.get_by_role("button", name="Acknowledge")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 68
    assert box["y"] + box["height"] <= 844
    button.click()
    expect(phone.get_by_role("status")).to_contain_text("Acknowledged by lin")

    # Assess.
    phone.get_by_role("link", name=f"Open case {case}").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("S01-003: Cytokine release syndrome")
    assert fits(phone)
    phone.get_by_label("Reasonable possibility", exact=True).check()
    phone.get_by_label("Unexpected: not listed, or worse than listed").check()
    form = phone.locator("form", has=phone.get_by_role("button", name="Sign assessment"))
    form.get_by_label("Reason", exact=True).fill("Onset and course fit; no reference lists it at this grade.")
    expect(form).to_contain_text(f"I am lin, and I assess case {case}, version 1, as chosen above")

    # Sign: the password again, and a wrong one signs nothing.
    form.get_by_label("Password").fill("not hers")
    form.get_by_role("button", name="Sign assessment").click()
    expect(phone.get_by_role("alert").first).to_contain_text("The signature does not fit.")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Sign assessment").click()
    expect(phone.get_by_role("status")).to_contain_text("Signed.")
    expect(phone.locator("#assess")).to_contain_text("Signed by lin (approval)")
    assert fits(phone)
    # The wrong password was answered by 403, which a browser notes; nothing else was said.
    assert [said for said in night.said if "403 (Forbidden)" not in said] == []


@pytest.mark.rule("promise: the board is live, and silence is calm only while the proofs of life pass")
def test_the_board_changes_while_it_is_open_and_a_new_alarm_is_announced_once(night: Night) -> None:
    board = night.signed_in("lin")
    expect(board.get_by_role("heading", level=1)).not_to_contain_text("ringing")
    focused = board.get_by_role("link", name="All cases")
    focused.focus()

    case = night.report("S01-003", "Cytokine release syndrome", **CRS)

    heading = board.get_by_role("heading", level=1)
    expect(heading).to_contain_text("ringing", timeout=15_000)
    expect(board.locator(".alarms")).to_contain_text(case)
    expect(board.locator("#news")).to_contain_text(f"case {case}")
    expect(board.locator(".nav [data-count=ringing] .n")).to_be_visible(timeout=20_000)
    assert board.evaluate("document.activeElement.textContent") == "All cases"
    assert board.title().startswith("(")

    # Somebody else acknowledges: it goes away here, without a reload.
    other = night.signed_in("lin", PHONE)
    while other.get_by_role("button", name="Acknowledge").count():
        other.get_by_role("button", name="Acknowledge").first.click()
        other.wait_for_load_state("load")
    expect(heading).not_to_contain_text("ringing", timeout=15_000)
    assert night.said == []


def test_keys_move_along_the_alarms_and_acknowledge_after_asking_once(night: Night) -> None:
    case = night.report("S01-003", "Cytokine release syndrome", **CRS)
    board = night.signed_in("lin")
    expect(board.get_by_role("heading", level=1)).to_contain_text("ringing", timeout=15_000)
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        if len(asked) == 1:
            dialog.dismiss()
        else:
            dialog.accept()

    board.on("dialog", answer)
    board.keyboard.press("j")
    assert board.evaluate("document.activeElement.closest('[data-alarm]') !== null")
    board.keyboard.press("a")
    assert case in asked[0]
    expect(board.get_by_role("heading", level=1)).to_contain_text("ringing")
    with board.expect_navigation(wait_until="load"):
        board.keyboard.press("a")
    assert len(asked) == 2
    board.keyboard.press("g")
    with board.expect_navigation(wait_until="load"):
        board.keyboard.press("c")
    assert board.url.endswith("/desk/cases")
    # Switched off, a single key does nothing.
    board.keyboard.press("?")
    board.get_by_label("Single keys are on").uncheck()
    board.get_by_role("button", name="Close").click()
    board.keyboard.press("g")
    board.keyboard.press("b")
    assert board.url.endswith("/desk/cases")


@pytest.mark.rule("promise: the board is live, and silence is calm only while the proofs of life pass")
def test_a_board_that_hears_nothing_says_since_when_it_is_stale(night: Night) -> None:
    board = night.signed_in("lin")
    expect(board.locator("#stale")).to_be_hidden()
    night.shape.processes["up"].kill()
    expect(board.locator("#stale")).to_be_visible(timeout=20_000)
    expect(board.locator("#stale")).to_contain_text("This page stopped updating at")
    expect(board.locator("#stale")).to_contain_text("Phones may ring; if in doubt call")
    night.shape.processes["up"].start()
    night.shape.processes["up"].ready()
    expect(board.locator("#stale")).to_be_hidden(timeout=20_000)
