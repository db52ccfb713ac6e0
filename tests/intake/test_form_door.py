"""Who comes in to the form, and in which language it answers."""

from __future__ import annotations

import pytest

from tests.intake.at_site import Site
from tests.intake.site_desk import Nurse, cases, fields, heading

NEW = "/report/new"


def test_the_language_is_remembered_and_can_be_changed_without_losing_what_was_typed(site: Site) -> None:
    nurse = Nurse(site.house, lang="en")
    assert heading(nurse.get("/report")) == "Report an adverse event"
    assert heading(nurse.get("/report?lang=zh")) == "报告不良事件"
    assert heading(nurse.get("/report")) == "报告不良事件"
    changed = nurse.send(nurse.get(NEW), NEW, subject="S01-001", e0__verbatim="fell", lang="en")
    assert (changed.status_code, heading(changed)) == (200, "New report")
    assert fields(changed, NEW)["e0-verbatim"] == "fell"
    assert heading(nurse.get("/report")) == "Report an adverse event"
    assert cases(site) == 0


@pytest.mark.parametrize(
    ("preferred", "tag"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("en-GB,zh;q=0.5", "en"),
        ("de", "en"),
        ("", "en"),
        ("en;q=0.1,zh", "zh-Hans"),
    ],
)
def test_without_a_word_the_browser_decides(lasting_site: Site, preferred: str, tag: str) -> None:
    assert f'<html lang="{tag}">' in Nurse(lasting_site.house, lang=preferred).get("/report").text


def test_a_stranger_is_asked_to_sign_in_in_the_language_of_the_browser_and_led_back(lasting_site: Site) -> None:
    stranger = lasting_site.house.get("/report/new", headers={"accept-language": "zh-CN"})
    assert (stranger.status_code, heading(stranger)) == (401, "登录")
    assert fields(stranger, "/sign-in")["next"] == "/report/new"
    assert 'href="?lang=en"' in stranger.text


def test_only_people_of_a_site_come_in(site: Site) -> None:
    assert site.house.get("/report").status_code == 401
    physician = Nurse(site.house, study=None, site=None, roles=frozenset({"safety_physician"}))
    assert physician.get("/report").status_code == 403
    nowhere = Nurse(site.house, study=None, site=None)
    assert nowhere.get("/report").status_code == 403
    gone = Nurse(site.house, site="S77")
    assert gone.get("/report").status_code == 403


def test_the_pages_hold_no_inline_script_or_style(site: Site) -> None:
    nurse = Nurse(site.house)
    case_id = nurse.sent()
    for path in ("/report", NEW, f"/report/cases/{case_id}", f"/report/receipts/{case_id}"):
        text = nurse.get(path).text
        assert " style=" not in text
        assert "<style" not in text
        assert text.count("<script") == text.count("<script src=")
    assert nurse.get("/report/report.js").headers["content-type"].startswith("text/javascript")
