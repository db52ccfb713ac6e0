"""What time owes: escalation, uncoded reports, and a service that slept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from alerting import chores, timers
from alerting.tables import notices
from tests.alerting.ward import FATAL, HEADACHE, MILD, NOON, SERIOUS, Ward, coding, report

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def page_mails(house: Ward) -> list[tuple[str, str]]:
    """(who, at what time in Shanghai) of every mail of a page."""
    return [
        (mail.to.partition("@")[0], f"{mail.sent_at + timedelta(hours=8):%H:%M}")
        for mail in house.mails()
        if "ringing you" in mail.text
    ]


@pytest.mark.rule("rules.md 1.5: an unanswered page climbs; readings.md clocks 9")
def test_a_page_that_nobody_answers_climbs(any_house: Ward) -> None:
    any_house.receive(report(FATAL))
    any_house.fast_forward(3 * HOUR, step=5 * MINUTE)
    assert page_mails(any_house) == [
        ("safety-physician", "12:00"),
        ("second-physician", "12:15"),
        ("medical-director", "13:00"),
        ("medical-director", "14:00"),
        ("medical-director", "15:00"),
    ]


def test_an_acknowledgement_stops_the_climb(house: Ward) -> None:
    house.receive(report(FATAL))
    house.fast_forward(14 * MINUTE)
    done = house.acknowledge(house.alerts()[0]["alert_id"])
    assert (done.by, done.is_first) == ("lin", True)
    house.fast_forward(5 * HOUR, step=15 * MINUTE)
    assert page_mails(house) == [("safety-physician", "12:00")]


def test_the_second_to_acknowledge_is_told_who_was_first_and_is_recorded(house: Ward) -> None:
    house.receive(report(FATAL))
    alert_id = house.alerts()[0]["alert_id"]
    house.move(MINUTE)
    house.acknowledge(alert_id, by="lin")
    house.move(MINUTE)
    second = house.acknowledge(alert_id, by="qiao", roles=["second_physician"])
    again = house.acknowledge(alert_id, by="lin")
    assert (second.by, second.is_first, again.by, again.is_first) == ("lin", False, "lin", False)
    (alert,) = house.alerts()
    assert [a["by"] for a in alert["acknowledgements"]] == ["lin", "qiao"]
    assert alert["acknowledged_at"] == "2026-05-14T04:01:00Z"


def test_a_week_asleep_and_everybody_owed_is_rung_at_once_and_once(house: Ward) -> None:
    house.receive(report(MILD, case="TOC-0030"), report(FATAL))
    house.fast_forward(timedelta(days=7), step=timedelta(days=7))
    woken = [(m.to.partition("@")[0], m.subject) for m in house.mails() if m.sent_at > NOON]
    assert sorted(woken) == [
        ("coder", "[Tocsin] TOC-0030: report still uncoded"),
        ("coder", "[Tocsin] TOC-0031: report still uncoded"),
        ("medical-director", "[Tocsin] TOC-0031: death, 7-day clock"),
        ("medical-director", "[Tocsin] TOC-0031: report due within a day, 7-day clock"),
        ("medical-director", "[Tocsin] TOC-0031: report due within two days, 7-day clock"),
        ("medical-reviewer", "[Tocsin] TOC-0031: medical review due, 7-day clock"),
        ("safety-team", "[Tocsin] TOC-0030: report still uncoded"),
        ("safety-team", "[Tocsin] TOC-0031: last follow-up request sent, and something is still open"),
        ("safety-team", "[Tocsin] TOC-0031: report not sent yet, 7-day clock"),
        ("safety-team", "[Tocsin] TOC-0031: report still uncoded"),
        ("second-physician", "[Tocsin] TOC-0031: death, 7-day clock"),
    ]
    house.fast_forward(timedelta(minutes=59))
    assert [m for m in house.mails() if m.sent_at > NOON + timedelta(days=7)] == []
    with house.store.reading() as tx:
        levels = {str(alert["alert_id"]): alert["level"] for alert in house.alerts()}
        rung = tx.execute(
            select(notices.c.alert_id).where(notices.c.at == NOON + timedelta(days=7)).order_by(text("rowid"))
        ).scalars()
        told = [levels[str(alert_id)] for alert_id in rung]
    assert list(dict.fromkeys(told)) == ["critical", "escalate", "page", "warn", "review"]


def test_rings_although_the_coder_is_down(any_house: Ward) -> None:
    any_house.receive(report(MILD))
    any_house.fast_forward(4 * HOUR - MINUTE, step=HOUR)
    assert any_house.mails() == []
    any_house.fast_forward(MINUTE)
    assert any_house.rung() == [
        ("coder", "[Tocsin] TOC-0031: report still uncoded"),
        ("safety-team", "[Tocsin] TOC-0031: report still uncoded"),
    ]
    (alert,) = any_house.alerts()
    assert alert["reasons"] == ["uncoded 4 h after receipt: TOC-0031-E1", "nothing has come from the coder"]


def test_a_report_that_waits_for_a_person_to_code_it_rings_and_says_so(house: Ward) -> None:
    held = {"status": "needs_review", "llt_code": None, "term": None, "soc": None}
    house.receive(report(MILD, MILD), coding(HEADACHE, held))
    house.fast_forward(4 * HOUR, step=HOUR)
    (alert,) = house.alerts()
    assert alert["reasons"] == ["uncoded 4 h after receipt: TOC-0031-E2", "the coder holds it for a person"]


def test_a_report_that_was_coded_in_time_does_not_ring(house: Ward) -> None:
    house.receive(report(MILD), coding(HEADACHE))
    house.fast_forward(timedelta(days=2), step=HOUR)
    assert house.mails() == []


def test_an_uncoded_revision_rings_once_and_an_older_one_not_at_all(house: Ward) -> None:
    house.receive(report(MILD))
    reworded = {**MILD, "verbatim": "severe headache with vomiting"}
    house.receive(report(reworded, revision=2, at=NOON + HOUR))
    house.fast_forward(timedelta(days=2), step=HOUR)
    assert [a["revision"] for a in house.alerts(kind="uncoded")] == [2]


def test_pages_are_looked_at_before_the_rest_when_much_is_uncoded(house: Ward) -> None:
    house.receive(
        report(MILD, case="TOC-0001"), report(SERIOUS, case="TOC-0002"), report(FATAL, case="TOC-0003")
    )  # fmt: skip
    house.move(5 * HOUR)
    with house.store.reading() as tx:
        due = [timer.about for timer in timers.due(tx, timers.UNCODED, house.at, 10)]
    assert due == ["TOC-0003|1", "TOC-0002|1", "TOC-0001|1"]


def test_a_nullified_case_is_not_asked_to_be_coded(house: Ward) -> None:
    house.receive(report(MILD), report(MILD, revision=2, at=NOON + MINUTE, nullified=True))
    house.fast_forward(timedelta(days=1), step=HOUR)
    assert house.alerts(kind="uncoded") == []


def test_of_two_processes_doing_the_same_chores_one_rings(any_house: Ward) -> None:
    any_house.receive(report(FATAL))
    any_house.move(15 * MINUTE)
    with any_house.store.reading() as tx:
        seen_by_both = timers.due(tx, timers.ALARM, any_house.at, 10)
    for _ in range(2):
        with any_house.store.transaction() as tx:
            if timers.fire(tx, seen_by_both[0], any_house.at, "done"):
                chores.ring_on(tx, any_house.parts, seen_by_both[0], any_house.at)
    any_house.send()
    assert page_mails(any_house) == [("safety-physician", "12:00"), ("second-physician", "12:15")]


def test_a_timer_is_fired_once_and_not_after_somebody_moved_it(any_house: Ward) -> None:
    any_house.receive(report(FATAL))
    any_house.move(15 * MINUTE)
    with any_house.store.transaction() as tx:
        (timer,) = timers.due(tx, timers.ALARM, any_house.at, 10)
        assert timers.fire(tx, timer, any_house.at, "done")
        assert not timers.fire(tx, timer, any_house.at, "done")
        later = any_house.at + HOUR
        timers.move(tx, timers.ALARM, timer.about, study=timer.study, due_at=later, urgency=0)
        assert not timers.fire(tx, timer, any_house.at, "done")


def test_a_chore_that_fails_is_told_stays_due_and_holds_up_nobody(house: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    house.receive(report(FATAL, case="TOC-0001"), report(MILD, case="TOC-0002"))

    def broken(*_: object) -> None:
        raise KeyError("a fault of ours")

    with monkeypatch.context() as patch:
        others = tuple((kind, chore) for kind, chore in chores.IN_ORDER if kind != "alarm")
        patch.setattr(chores, "IN_ORDER", (("alarm", broken), *others))
        house.move(5 * HOUR)
        done = house.do_chores()
    assert done.items == 2
    assert [said.split(" ")[-1] for said in done.failed] == ["KeyError"]
    house.do_chores()
    assert ("second-physician", "17:00") in page_mails(house)
