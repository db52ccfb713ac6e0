"""A bell as a mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from alerting.delivery.bell import Bell, Due, case_number
from alerting.delivery.letter import letter

SHANGHAI = ZoneInfo("Asia/Shanghai")
BELL = Bell(
    to="physician",
    alert_id="6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11",
    case_id="TOC-0031",
    kind="potential_dlt",
    words="potential DLT",
    level="page",
    reason="rung at once",
    step=0,
    due=Due("7-day clock", True, date(2026, 5, 21), datetime(2026, 5, 21, 15, 59, 59, tzinfo=UTC)),
    answer_by=datetime(2026, 5, 13, 18, 23, tzinfo=UTC),
    zone=SHANGHAI,
    link="https://tocsin.example/a/6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11",
    sent_at=datetime(2026, 5, 13, 18, 8, tzinfo=UTC),
)


def made(bell: Bell) -> EmailMessage:
    return letter(bell, notice_id="n-1", sender="Tocsin <tocsin@sponsor.example>", to="lin@sponsor.example")


def text(bell: Bell) -> str:
    body = made(bell).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_the_mail_says_what_the_drawing_says() -> None:
    assert text(BELL) == (
        "TOC-0031 is ringing you.\n"
        "\n"
        "Case:   TOC-0031\n"
        "Kind:   Potential DLT; 7-day clock (provisional)\n"
        "Due:    Thu 21 May 2026, 24:00 (Asia/Shanghai)\n"
        "Answer: by 02:23 (Asia/Shanghai), or the next person is rung\n"
        "\n"
        "Acknowledge:\n"
        "https://tocsin.example/a/6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11\n"
        "\n"
        "You sign in first. Opening this link does not acknowledge.\n"
        "This e-mail carries no patient detail by design. Replies are not read.\n"
        "\n"
        "Sent Thu 14 May 2026, 02:08 (Asia/Shanghai), 18:08 UTC on 13 May\n"
    )


def test_the_lock_screen_shows_case_kind_and_clock() -> None:
    assert made(BELL)["Subject"] == "[Tocsin] TOC-0031: potential DLT, 7-day clock"


def test_text_and_html_carry_the_same_facts() -> None:
    html = made(BELL).get_body(("html",))
    assert html is not None
    content = html.get_content()
    for fact in (
        "TOC-0031",
        "Potential DLT; 7-day clock (provisional)",
        "Thu 21 May 2026, 24:00",
        "by 02:23",
        BELL.link,
    ):
        assert fact in content
    assert "http" not in content.replace(BELL.link, ""), "nothing is loaded from elsewhere"


def test_a_second_copy_has_the_same_message_id() -> None:
    assert made(BELL)["Message-ID"] == made(replace(BELL, sent_at=BELL.sent_at))["Message-ID"]
    assert made(BELL)["Message-ID"] == "<n-1@sponsor.example>"


def test_a_clock_of_hours_shows_its_time() -> None:
    due = Due("24-hour clock", False, date(2026, 5, 15), datetime(2026, 5, 14, 18, 8, tzinfo=UTC))
    assert "Due:    Fri 15 May 2026, 02:08 (Asia/Shanghai)" in text(replace(BELL, due=due))


def test_a_day_that_another_zone_ends_earlier_shows_when_it_ends_here() -> None:
    brussels = datetime(2026, 5, 21, 12, 59, 59, tzinfo=UTC)
    due = Due("7-day clock", False, date(2026, 5, 21), brussels)
    assert "Due:    Thu 21 May 2026, 20:59 (Asia/Shanghai)" in text(replace(BELL, due=due))


def test_who_is_rung_later_is_told_why() -> None:
    later = replace(BELL, step=1, reason="not acknowledged within 15 minutes")
    assert "Why you: not acknowledged within 15 minutes" in text(later)


def test_a_site_is_told_that_something_is_asked_and_not_what() -> None:
    asked = replace(BELL, to="site", kind="question", words="question", level="info", due=None, answer_by=None, count=3)
    assert made(asked)["Subject"] == "[Tocsin] TOC-0031: 3 questions for you"
    assert "Asked: 3 questions" in text(asked)


def test_a_bell_comes_back_from_the_database_as_it_was() -> None:
    assert Bell.of(BELL.as_json()) == BELL
    plain = replace(BELL, due=None, answer_by=None, case_id=None)
    assert Bell.of(plain.as_json()) == plain


@pytest.mark.parametrize("case_id", ["S01-003", "TOC-31", "TOC-0031 Mr Wang", "", None])
def test_only_a_case_number_of_ours_leaves(case_id: str | None) -> None:
    assert case_number(case_id) is None
