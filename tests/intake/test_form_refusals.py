"""What refuses a form is said at its field, in words, and takes nothing away that was typed."""

from __future__ import annotations

import pytest

from tests.intake.at_site import Site
from tests.intake.site_desk import Nurse, case_of, cases, fields, heading, words, wrong_at
from tocsin.errors import StoreAway

NEW = "/report/new"


WRONG = [
    ("subject", {"subject": "Zhang San"}, "This is not a subject number of this study, such as S01-001.",
     "不是本研究的受试者编号，正确格式如 S01-001。"),
    ("subject", {"subject": "S02-001"}, "This is not a subject of your site (S01).", "不是贵中心（S01）的受试者。"),
    ("e0-onset", {"e0-onset_date": "2026-02-30"}, "This month has no such day.", "该月没有这一天。"),
    ("e0-onset", {"e0-onset_date": "yesterday"},
     "This cannot be read as a date. Write 2026-03-01, or 2026-03, or 2026; and the time as 14:30.",
     "无法识别为日期。请写作 2026-03-01、2026-03 或 2026；时间写作 14:30。"),
    ("e0-onset", {"e0-onset_date": "", "e0-onset_time": "14:30"},
     "This cannot be read as a date. Write 2026-03-01, or 2026-03, or 2026; and the time as 14:30.",
     "无法识别为日期。请写作 2026-03-01、2026-03 或 2026；时间写作 14:30。"),
    ("e0-onset", {"e0-onset_date": "2026-13-01"}, "There is no such day or time.", "没有这样的日期或时间。"),
    ("e0-aware", {"e0-aware_date": "1026-03-02"}, "This year cannot be meant.", "年份有误。"),
    ("e0-verbatim", {"e0-verbatim": "", "e0-treatment": "fluids"}, "This is missing.", "此项必填。"),
    ("e0-verbatim", {"e0-verbatim": "x" * 1001}, "This is too long: at most 1000.", "内容过长，最多 1000。"),
    ("e0-outcome", {"e0-outcome": "fine"}, "Please choose one of the answers.", "请从选项中选择。"),
    ("e0-grade_ctcae", {"e0-grade_ctcae": "9"}, "Please choose one of the answers.", "请从选项中选择。"),
    ("e0-grade_ctcae", {"e0-grade_ctcae": "3" * 5000}, "Please choose one of the answers.", "请从选项中选择。"),
    ("reporter_name", {"reporter_name": "x" * 201}, "This is too long: at most 200.", "内容过长，最多 200。"),
    ("subject", {"subject": "S01\x00001"}, "This holds a character that cannot be kept.", "含有无法保存的字符。"),
]  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("field", "typed", "english", "chinese"), WRONG, ids=[f"{w[0]}: {w[2][:30]}" for w in WRONG])
def test_every_refusal_is_at_its_field_in_the_language_of_the_page_and_keeps_what_was_typed(
    lasting_site: Site, lang: str, field: str, typed: dict[str, str], english: str, chinese: str
) -> None:
    nurse, before = Nurse(lasting_site.house, lang=lang), cases(lasting_site)
    sent = {**nurse.fill(nurse.get(NEW), NEW, subject="S01-001", e0__verbatim="fell", e1__verbatim="b", do="send")}
    answer = nurse.post(NEW, {**sent, "narrative": "line one\nline two", **typed})
    assert answer.status_code == 422
    assert wrong_at(answer) == {field: chinese if lang == "zh" else english}
    kept = fields(answer, NEW)
    for name, value in {**sent, "narrative": "line one\nline two", **typed}.items():
        if name not in ("do", "token") and "\x00" not in value:
            assert kept.get(name, "") == value, name
    assert cases(lasting_site) == before


def test_more_events_than_a_case_may_hold_are_refused_for_the_whole(lasting_site: Site) -> None:
    nurse = Nurse(lasting_site.house, lang="zh")
    typed = {f"e{n}-verbatim": "x" for n in range(51)}
    sent = nurse.fill(nurse.get(NEW), NEW, subject="S01-001", e0__treatment="ok", do="send")
    answer = nurse.post(NEW, {**sent, **typed})
    assert answer.status_code == 422
    assert "内容过长，最多 50。" in words(answer)


def test_an_empty_form_is_not_a_report(site: Site) -> None:
    nurse = Nurse(site.house)
    answer = nurse.send(nurse.get(NEW), NEW, do="send")
    assert answer.status_code == 422
    assert "Nothing is filled in yet." in words(answer)
    assert cases(site) == 0


def test_a_form_that_is_not_from_our_page_changes_nothing(site: Site) -> None:
    nurse = Nurse(site.house)
    sent = nurse.fill(nurse.get(NEW), NEW, subject="S01-001", e0__verbatim="fell", do="send")
    without = nurse.post(NEW, {**sent, "token": ""})
    assert without.status_code == 403
    # What was typed is not lost for it, and the page that is shown now may be sent.
    assert fields(without, NEW)["e0-verbatim"] == "fell"
    elsewhere = nurse.post(NEW, sent, headers={"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403
    assert "fell" not in elsewhere.text
    assert "This form was not sent from our page." in words(elsewhere)
    other = Nurse(site.house, name="somebody else").post(NEW, sent)
    assert other.status_code == 403
    assert cases(site) == 0
    assert case_of(nurse.send(without, NEW, do="send")) == "TOC-0001"


def test_when_nothing_can_be_kept_it_says_so_and_keeps_what_was_typed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse = Nurse(site.house)
    page = nurse.get(NEW)
    (writer,) = [worker for worker in site.house.services[0].workers if worker.name == "intake-writer"]

    def away(_: object) -> None:
        raise StoreAway("the database does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(writer, "submit", away)
        answer = nurse.send(page, NEW, subject="S01-001", e0__verbatim="fell", do="send")
    assert answer.status_code == 503
    assert "Nothing was kept. What you typed is below: send it again in a moment." in words(answer)
    assert case_of(nurse.send(answer, NEW, do="send")) == "TOC-0001"


def test_who_was_signed_out_meanwhile_loses_nothing(site: Site) -> None:
    nurse = Nurse(site.house)
    sent = nurse.fill(nurse.get(NEW), NEW, subject="S01-001", e0__verbatim="fell", do="send")
    stranger = site.house.ask("POST", NEW, data=sent)
    assert stranger.status_code == 401
    waiting = fields(stranger, NEW)
    assert waiting["e0-verbatim"] == "fell"
    back = nurse.post(NEW, waiting)
    assert back.status_code == 403
    assert case_of(nurse.send(back, NEW, do="send")) == "TOC-0001"


def test_a_form_longer_than_any_report_is_refused_as_a_page(lasting_site: Site) -> None:
    nurse = Nurse(lasting_site.house)
    answer = nurse.post(NEW, {"narrative": "x" * 1_000_001})
    assert (answer.status_code, heading(answer)) == (422, "Nothing was changed")
    assert "at most 1000000 bytes" in words(answer)
