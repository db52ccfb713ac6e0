"""The notices of a clock that runs: at which instant, to whom, once each, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, update

from alerting import answers, chores, timers
from alerting.judge import judge_again
from alerting.tables import signed, submissions
from tests.alerting.ward import FATAL, HEADACHE, MILD, SERIOUS, STUDY, Ward, coding, report

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CASE, EVENT = "TOC-0031", "TOC-0031-E1"


def answered(house: Ward) -> None:
    """Whoever was rung at once has answered, and the words are coded: only the clocks go on."""
    for alert in house.alerts(state="open"):
        house.acknowledge(alert["alert_id"])


def reported(house: Ward, event: dict[str, Any]) -> None:
    house.receive(report(event), coding({}))
    answered(house)


def told(house: Ward) -> list[tuple[str, str, str]]:
    """(level, role, when in Shanghai) of every notice about a clock."""
    found = [
        (alert["level"], notice["role"], shanghai(notice["at"]))
        for alert in house.alerts()
        if alert["kind"].startswith("clock_") and alert["kind"] != "clock_in_question"
        for notice in alert["notices"]
    ]
    return sorted(set(found), key=lambda one: (one[2], one[0]))


def shanghai(at: str) -> str:
    return f"{datetime.fromisoformat(at) + timedelta(hours=8):%m-%d %H:%M:%S}"


def send(house: Ward, at: datetime, kind: str = "initial", recipient: str = "CDE") -> str:
    """A submission entered now that was sent `at`."""
    one = uuid4()
    clock = next(c for c in house.clocks() if c["recipient"] == recipient)
    with house.store.transaction() as tx:
        tx.execute(
            insert(submissions),
            {"id": one, "clock_id": UUID(clock["clock_id"]), "case_id": CASE, "study": STUDY,
             "sent_at": at, "kind": kind, "recipient": recipient, "reference": "R-1", "event_ids": [EVENT],
             "revision": 1, "entered_by": "wei", "entered_at": house.at},
        )  # fmt: skip
        judge_again(tx, house.parts, STUDY, CASE, why="submitted", at=house.at, by="wei")
    house.send()
    return str(one)


def reject(house: Ward, one: str) -> None:
    with house.store.transaction() as tx:
        values = {"answer": "rejected", "answered_at": house.at, "answer_reason": "not readable"}
        tx.execute(update(submissions).where(submissions.c.id == UUID(one)).values(values))
        judge_again(tx, house.parts, STUDY, CASE, why="rejected", at=house.at, by="wei")
    house.send()


@pytest.mark.rule("rules.md 1.5: 7-day notices", "readings.md clocks 7, 9")
def test_a_seven_day_clock_is_told_at_its_marks_to_the_right_person_once_each(any_house: Ward) -> None:
    reported(any_house, FATAL)
    any_house.fast_forward(7 * DAY + 11 * HOUR, step=HOUR)
    assert told(any_house) == [
        ("review", "medical_reviewer", "05-15 12:00:00"),
        ("warn", "safety_team", "05-17 12:00:00"),
        ("escalate", "medical_director", "05-19 12:00:00"),
        ("critical", "medical_director", "05-20 12:00:00"),
    ]


@pytest.mark.rule("rules.md 1.5: 15-day notices", "readings.md clocks 7")
def test_a_fifteen_day_clock_is_told_at_its_marks(house: Ward) -> None:
    reported(house, SERIOUS)
    house.fast_forward(15 * DAY, step=HOUR)
    assert told(house) == [
        ("review", "medical_reviewer", "05-15 12:00:00"),
        ("warn", "safety_team", "05-21 12:00:00"),
        ("warn", "safety_team", "05-25 12:00:00"),
        ("escalate", "medical_director", "05-27 12:00:00"),
        ("critical", "medical_director", "05-28 12:00:00"),
    ]


@pytest.mark.rule("rules.md 1.5: 7-day notices", "readings.md clocks 6")
def test_an_overdue_report_rings_the_director_hourly_from_the_first_second_after_the_due_day(house: Ward) -> None:
    reported(house, FATAL)
    house.fast_forward(7 * DAY, step=HOUR)
    house.fast_forward(12 * HOUR - 1 * MINUTE, step=MINUTE)
    before = len(told(house))
    house.fast_forward(2 * MINUTE, step=timedelta(seconds=1))
    house.fast_forward(2 * HOUR, step=MINUTE)
    assert told(house)[before:] == [
        ("overdue", "medical_director", "05-22 00:00:00"),
        ("overdue", "medical_director", "05-22 01:00:00"),
        ("overdue", "medical_director", "05-22 02:00:00"),
    ]


@pytest.mark.rule("readings.md clocks 9")
def test_the_director_alone_silences_an_overdue_report_for_four_hours(house: Ward) -> None:
    assert not answers.may_acknowledge("overdue", [], frozenset({"safety_physician", "safety_team"}))
    assert answers.may_acknowledge("overdue", [], frozenset({"medical_director"}))
    reported(house, FATAL)
    house.fast_forward(7 * DAY + 12 * HOUR, step=HOUR)
    (alert,) = house.alerts(level="overdue")
    silenced_at = house.at
    house.acknowledge(alert["alert_id"], by="he", roles=["medical_director"])
    house.fast_forward(4 * HOUR - MINUTE, step=MINUTE)
    assert len(house.alerts(level="overdue")) == 1
    house.fast_forward(MINUTE, step=MINUTE)
    again = house.alerts(level="overdue")[-1]
    assert again["state"] == "open"
    assert again["raised_at"] == (silenced_at + 4 * HOUR).isoformat().replace("+00:00", "Z")


@pytest.mark.rule("readings.md clocks 7")
def test_what_was_sent_is_not_told_any_more(house: Ward) -> None:
    reported(house, FATAL)
    house.fast_forward(4 * DAY, step=HOUR)
    send(house, house.at)
    house.fast_forward(6 * DAY, step=HOUR)
    assert [level for level, _, _ in told(house)] == ["review", "warn"]


@pytest.mark.rule("readings.md clocks 6")
def test_sending_ends_the_ringing_and_not_the_lateness(house: Ward) -> None:
    reported(house, FATAL)
    house.fast_forward(8 * DAY, step=HOUR)
    send(house, house.at)
    (alert,) = house.alerts(level="overdue")
    assert (alert["state"], alert["acknowledged_by"]) == ("closed", None)
    assert alert["closed_at"] == house.at.isoformat().replace("+00:00", "Z")
    rung = len(alert["notices"])
    house.fast_forward(DAY, step=HOUR)
    assert len(house.alerts(level="overdue")[0]["notices"]) == rung
    (clock,) = [c for c in house.clocks() if c["rule"] == "CN_SUSAR_7D"]
    assert (clock["status"], clock["open"]) == ("LATE", False)
    assert [h["status"] for h in clock["status_history"]] == ["RUNNING", "LATE"]


@pytest.mark.rule("readings.md clocks 6")
def test_a_rejection_opens_the_clock_again_and_its_lateness_rings(house: Ward) -> None:
    reported(house, FATAL)
    house.fast_forward(6 * DAY + 20 * HOUR, step=HOUR)
    one = send(house, house.at)
    house.fast_forward(DAY, step=HOUR)
    assert house.alerts(level="overdue") == []
    reject(house, one)
    (clock,) = [c for c in house.clocks() if c["rule"] == "CN_SUSAR_7D"]
    assert (clock["status"], clock["open"]) == ("RUNNING", True)
    house.fast_forward(MINUTE)
    assert len(house.alerts(level="overdue")) == 1


@pytest.mark.rule("readings.md clocks 7")
def test_no_review_is_asked_for_that_was_signed(house: Ward) -> None:
    reported(house, FATAL)
    house.fast_forward(20 * HOUR, step=HOUR)
    with house.store.transaction() as tx:
        signature = {"by": "Dr Sun", "roles": ["medical_reviewer"], "meaning": "reviewed", "at": house.at.isoformat()}
        tx.execute(
            insert(signed),
            {"id": uuid4(), "case_id": CASE, "study": STUDY, "deed": "medical_review", "body": {"event_ids": [EVENT]},
             "reason": "read the file", "signatures": [signature], "needs": 1, "asked_at": house.at,
             "signed_at": house.at},
        )  # fmt: skip
    house.fast_forward(2 * DAY + 4 * HOUR, step=HOUR)
    assert [level for level, _, _ in told(house)] == ["warn"]


@pytest.mark.rule("readings.md clocks 7, 8")
def test_clocks_of_one_report_are_told_together(house: Ward) -> None:
    house.receive(report(FATAL, {**FATAL, "verbatim": "renal failure"}))
    answered(house)
    house.fast_forward(DAY, step=HOUR)
    (alert,) = house.alerts(kind="clock_review")
    assert [r.split(" is due")[0] for r in alert["reasons"] if " is due 2026-05-21: no medical review" in r] == [
        "TOC-0031-E1: CN_SUSAR_7D to CDE",
        "TOC-0031-E2: CN_SUSAR_7D to CDE",
    ]
    assert any("CDE safety data rapid reporting standard (2018): a fatal" in r for r in alert["reasons"])


def test_a_service_that_slept_owes_every_mark_once_and_nothing_of_what_is_not_serious(house: Ward) -> None:
    house.receive(report(MILD, case="TOC-0030"), coding(HEADACHE, case="TOC-0030"))
    reported(house, FATAL)
    house.fast_forward(9 * DAY, step=9 * DAY)
    assert [(level, role) for level, role, _ in told(house)] == [
        ("critical", "medical_director"),
        ("escalate", "medical_director"),
        ("overdue", "medical_director"),
        ("review", "medical_reviewer"),
        ("warn", "safety_team"),
    ]
    assert {alert["case_id"] for alert in house.alerts()} == {CASE}
    house.fast_forward(59 * MINUTE, step=MINUTE)
    assert len(told(house)) == 5


def test_of_two_processes_one_tells(any_house: Ward) -> None:
    reported(any_house, FATAL)
    any_house.move(DAY)
    with any_house.store.reading() as tx:
        seen_by_both = timers.due(tx, timers.CLOCK, any_house.at, 10)
    assert [timer.due_at for timer in seen_by_both] == [datetime(2026, 5, 15, 4, 0, tzinfo=UTC)]
    for _ in range(2):
        with any_house.store.transaction() as tx:
            if timers.fire(tx, seen_by_both[0], any_house.at, "done"):
                dict(chores.IN_ORDER)[timers.CLOCK](tx, any_house.parts, seen_by_both[0], any_house.at)
    assert len(any_house.alerts(kind="clock_review")) == 1
