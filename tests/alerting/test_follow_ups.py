"""Requests for a follow-up: on the study's cadence, once a step, closed after the last with a record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerting import chores, follow_ups, timers
from alerting import tables as alerting_tables
from tests.alerting.test_rebuild import said
from tests.alerting.ward import FATAL, MILD, NOON, PNEUMONIA, SERIOUS, STUDY, Ward, coding, report, ward
from tocsin.domain.protocol import FollowUpRequests
from tocsin.messages.bodies import QueryRaisedV1
from tocsin.store import audit
from tocsin.store.tables import audit as audit_rows

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OPINION = [{"agent": "product", "party": "investigator", "relation": "related"}]
TOLD = {**SERIOUS, "outcome": "recovered", "end": "2026-05-14", "causality": OPINION}


def asked(house: Ward) -> list[QueryRaisedV1]:
    """What was asked, in order."""
    return [envelope.body for envelope in said(house, "queries.raised.v1")]


def days_asked(house: Ward, case: str = "TOC-0031") -> list[float]:
    """After how many days from noon each question came."""
    return [(one.raised_at - NOON) / DAY for one in asked(house) if one.case_id == case]


def steps(house: Ward) -> dict[str, str | None]:
    """What became of each step."""
    rows = alerting_tables.timers
    with house.store.reading() as tx:
        found = tx.execute(select(rows.c.about, rows.c.outcome).where(rows.c.kind == "follow_up")).all()
    return {row.about: row.outcome for row in found}


def sleep(house: Ward, span: timedelta) -> None:
    house.fast_forward(span, step=span)


@pytest.mark.rule(
    "promise: a site is asked on the study's days for what is still open, once, and what it never answered is recorded"
)
@pytest.mark.parametrize(
    ("event", "days"),
    [
        (SERIOUS, [7, 14, 30]),
        ({**SERIOUS, "serious": None, "seriousness": []}, [7, 14, 30]),
        (FATAL, [1, 3, 7]),
        ({**SERIOUS, "seriousness": ["life_threatening"]}, [1, 3, 7]),
        (MILD, []),
    ],
)
def test_a_site_is_asked_on_the_days_of_the_studys_cadence(house: Ward, event: dict[str, Any], days: list[int]) -> None:
    house.receive(report(event))
    house.fast_forward(40 * DAY, step=DAY)
    assert days_asked(house) == days


def test_a_day_is_24_hours_from_the_receipt_and_not_a_minute_sooner(any_house: Ward) -> None:
    any_house.receive(report(FATAL))
    sleep(any_house, DAY - timedelta(minutes=1))
    assert asked(any_house) == []
    sleep(any_house, timedelta(minutes=1))
    assert days_asked(any_house) == [1]


def test_the_study_sets_the_cadence(tmp_path: Path) -> None:
    with ward(f"sqlite:///{tmp_path}/house.db", tmp_path) as house:
        house.studies[STUDY] = replace(house.studies[STUDY], follow_up_requests=FollowUpRequests((2,), ()))
        house.receive(report(FATAL), report(SERIOUS, case="TOC-0032"))
        house.fast_forward(40 * DAY, step=DAY)
        assert (days_asked(house), days_asked(house, "TOC-0032")) == ([2], [])


def test_the_question_names_what_is_open_in_both_languages_and_points_at_it(house: Ward) -> None:
    house.receive(report({**TOLD, "end": None}))
    sleep(house, 7 * DAY)
    (query,) = asked(house)
    assert (query.kind, query.case_id, query.site, query.about) == (
        "follow_up", "TOC-0031", "S01", "/events/0/end",
    )  # fmt: skip
    assert query.question == (
        'Follow-up request 1 of 3 (day 7) for TOC-0031. Please tell what is new: (1) TOC-0031-E1 ("pneumonia"): '
        "on which day did it end?\n"
        'TOC-0031 随访询问，第 1 次，共 3 次（第 7 天）。请告知最新情况：（1）TOC-0031-E1 ("pneumonia")：何时结束？'
    )


def test_the_sites_contact_gets_a_letter_that_says_only_that_something_is_asked(house: Ward) -> None:
    house.receive(report(SERIOUS), coding(PNEUMONIA))
    sleep(house, 7 * DAY)
    house.receive(*said(house, "queries.raised.v1"))
    house.fast_forward(timedelta(seconds=5), step=timedelta(seconds=1))
    letters = [mail for mail in house.mails() if mail.to.startswith("site-s01")]
    assert [mail.subject for mail in letters] == ["[Tocsin] TOC-0031: 1 question for you"]
    assert "pneumonia" not in letters[0].text


def test_a_case_that_becomes_fatal_is_asked_about_on_the_fatal_days_from_that_receipt(any_house: Ward) -> None:
    any_house.receive(report(SERIOUS))
    any_house.fast_forward(8 * DAY, step=DAY)
    any_house.receive(report(FATAL, revision=2, at=NOON + 8 * DAY))
    any_house.fast_forward(30 * DAY, step=DAY)
    assert days_asked(any_house) == [7, 9, 11, 15]
    assert steps(any_house)["TOC-0031|other|14"] == (
        "not sent: the case is fatal or life-threatening and is asked about on other days: 1, 3, 7"
    )


def test_it_counts_from_the_report_that_first_made_it_serious_in_whatever_order_they_come(house: Ward) -> None:
    mild, worse = report(MILD), report(SERIOUS, revision=2, at=NOON + 2 * DAY)
    same = report(SERIOUS, revision=3, at=NOON + 4 * DAY)
    house.move(4 * DAY)
    house.receive(same, worse, mild)
    house.fast_forward(40 * DAY, step=DAY)
    assert days_asked(house) == [9, 16, 32]


def test_a_revision_that_tells_everything_ends_the_asking_and_each_step_says_so(house: Ward) -> None:
    house.receive(report(SERIOUS))
    house.fast_forward(8 * DAY, step=DAY)
    house.receive(report(TOLD, revision=2, at=NOON + 8 * DAY))
    house.fast_forward(30 * DAY, step=DAY)
    assert days_asked(house) == [7]
    assert steps(house) == {
        "TOC-0031|other|7": "asked for 2 of what is open",
        "TOC-0031|other|14": "nothing is asked: everything is told",
        "TOC-0031|other|30": "nothing is asked: everything is told",
    }
    assert house.alerts(kind="unanswered") == []


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (report(SERIOUS, revision=2, at=NOON + HOUR, nullified=True), "the case is nullified"),
        (report(MILD, revision=2, at=NOON + HOUR), "no event of the case is serious any more"),
        (
            report({**SERIOUS, "nullified": True}, revision=2, at=NOON + HOUR),
            "no event of the case is serious any more",
        ),
    ],
)
def test_what_is_not_to_be_asked_is_not_and_is_recorded_with_the_reason(house: Ward, later: Any, why: str) -> None:
    house.receive(report(SERIOUS), later)
    house.fast_forward(31 * DAY, step=DAY)
    assert asked(house) == []
    assert set(steps(house).values()) == {f"nothing is asked: {why}"}
    deeds = [e.body for e in said(house, "decisions.recorded.v1") if e.body.detail.get("kind") == "follow_up"]
    assert [deed.reason for deed in deeds] == [f"nothing is asked: {why}"] * 3


@pytest.mark.rule(
    "promise: a site is asked on the study's days for what is still open, once, and what it never answered is recorded"
)
def test_a_service_that_slept_a_month_asks_once_about_each_case(any_house: Ward) -> None:
    any_house.receive(report(SERIOUS), report(FATAL, case="TOC-0032"))
    sleep(any_house, 31 * DAY)
    assert (days_asked(any_house), days_asked(any_house, "TOC-0032")) == ([31], [31])
    assert "Follow-up request 3 of 3 (day 30)" in next(q.question for q in asked(any_house) if q.case_id == "TOC-0031")
    deeds = [e.body for e in said(any_house, "decisions.recorded.v1") if e.body.detail.get("kind") == "follow_up"]
    assert {deed.about: deed.reason for deed in deeds if deed.case_id == "TOC-0031"} == {
        "TOC-0031|other|7": "joined with TOC-0031|other|30",
        "TOC-0031|other|14": "joined with TOC-0031|other|30",
        "TOC-0031|other|30": "asked for 2 of what is open",
    }
    any_house.fast_forward(10 * DAY, step=DAY)
    assert len(asked(any_house)) == 2


def test_a_service_that_missed_one_step_goes_on_with_the_next_at_its_time(house: Ward) -> None:
    house.receive(report(FATAL))
    sleep(house, 4 * DAY)
    house.fast_forward(10 * DAY, step=DAY)
    assert days_asked(house) == [4, 7]


@pytest.mark.rule(
    "promise: a site is asked on the study's days for what is still open, once, and what it never answered is recorded"
)
def test_after_the_last_request_it_is_recorded_what_was_never_answered_and_people_are_told(house: Ward) -> None:
    house.receive(report(FATAL))
    house.fast_forward(6 * DAY, step=DAY)
    assert house.alerts(kind="unanswered") == []
    house.fast_forward(30 * DAY, step=DAY)
    (alert,) = house.alerts(kind="unanswered")
    assert (alert["case_id"], alert["level"], alert["roles"]) == ("TOC-0031", "warn", ["safety_team"])
    assert alert["reasons"] == [
        "the last request, of day 7, was sent and none follows by itself",
        "TOC-0031-E1: opinion: the investigator's is not told",
        "TOC-0031-E1: terminal_report: not told since",
    ]
    with house.store.reading() as tx:
        told = tx.execute(select(audit_rows).where(audit_rows.c.did == "follow-up requests closed")).all()
        assert isinstance(audit.verify(tx), audit.Verified)
    assert [(row.about, row.reason) for row in told] == [("case TOC-0031", "asked for 2 of what is open")]
    assert "terminal_report" in told[0].after


def test_an_autopsy_that_the_site_tells_in_words_is_not_asked_for_again(house: Ward) -> None:
    dead = {**FATAL, "causality": OPINION}
    house.receive(report(dead))
    house.fast_forward(DAY, step=DAY)
    house.receive(report(dead, revision=2, at=NOON + DAY + HOUR, narrative="Autopsy: pulmonary embolism."))
    house.fast_forward(10 * DAY, step=DAY)
    assert days_asked(house) == [1]
    assert steps(house)["TOC-0031|fatal_lt|3"] == "nothing is asked: everything is told"


def test_of_two_processes_one_asks(any_house: Ward) -> None:
    any_house.receive(report(SERIOUS))
    any_house.move(7 * DAY)
    with any_house.store.reading() as tx:
        (seen_by_both,) = timers.due(tx, follow_ups.FOLLOW_UP, any_house.at, 10)
    for _ in range(2):
        with any_house.store.transaction() as tx:
            if timers.fire(tx, seen_by_both, any_house.at, "done"):
                follow_ups.ask(tx, any_house.parts, seen_by_both, any_house.at)
    assert len(asked(any_house)) == 1


def test_a_step_that_the_study_has_taken_out_since_is_not_asked(house: Ward) -> None:
    house.receive(report(SERIOUS))
    house.studies[STUDY] = replace(house.studies[STUDY], follow_up_requests=FollowUpRequests((1, 3, 7), (7, 21)))
    house.receive(report(SERIOUS, revision=2, at=NOON + HOUR))
    house.fast_forward(40 * DAY, step=DAY)
    assert days_asked(house) == [7, 21]
    assert steps(house)["TOC-0031|other|14"] == "nothing is asked: the study has taken this day from its cadence"


@pytest.mark.parametrize("decisions_first", [False, True])
def test_a_rebuild_asks_nothing_twice_and_goes_on_with_what_is_owed(tmp_path: Path, decisions_first: bool) -> None:
    facts = [report(SERIOUS), report(FATAL, case="TOC-0032")]
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        lived.receive(*facts)
        lived.fast_forward(8 * DAY, step=DAY)
        deeds, at, alerts = said(lived, "decisions.recorded.v1"), lived.at, lived.alerts(kind="unanswered")
        assert (days_asked(lived), days_asked(lived, "TOC-0032")) == ([7], [1, 3, 7])
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        rebuilt.is_rebuilding, rebuilt.at = True, at
        rebuilt.receive(*[*deeds, *facts] if decisions_first else [*facts, *deeds])
        rebuilt.is_rebuilding = False
        rebuilt.do_chores()
        assert asked(rebuilt) == []
        assert [a["alert_id"] for a in rebuilt.alerts(kind="unanswered")] == [a["alert_id"] for a in alerts]
        assert [to for to, subject in rebuilt.rung() if "TOC-0032" in subject and "unanswered" in subject] == []
        rebuilt.fast_forward(30 * DAY, step=DAY)
        assert days_asked(rebuilt) == [14, 30]


def test_the_chores_do_them() -> None:
    assert (follow_ups.FOLLOW_UP, follow_ups.ask) in chores.IN_ORDER
