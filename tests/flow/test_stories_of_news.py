"""Stories of what becomes known later: worse, better, corrected, twice, not at all. Times are Shanghai's.

Each is a case history on a rehearsal house, played by the public API alone. What is expected was written by hand from
the rules, and every page of the house is counted: the pages that a story does not name must not happen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.rehearsals import Rehearsal, about, admitted, fatal, rehearsal, shanghai, statuses

NOT_RELATED = [{"agent": "product", "party": "investigator", "relation": "not_related"}]
RELATED = [{"agent": "product", "party": "investigator", "relation": "related"}]
DIED = {"seriousness": ["death"], "outcome": "fatal", "grade": {"ctcae": 5}}


def news(case: str, body: dict[str, Any], **event: Any) -> dict[str, Any]:
    """A follow-up that says this and nothing else of the case's one event."""
    return {"events": [{"verbatim": body["events"][0]["verbatim"], **event}]}


def answer_pages(house: Rehearsal) -> None:
    for page in house.alerts(level="page", state="open"):
        house.acknowledge(page)


def shape(house: Rehearsal, case: str) -> list[tuple[str, str, str, str]]:
    """(rule, day zero, due, status) of the sponsor's own clocks to the authority, soonest due first."""
    return [
        (one["rule"], one["day_zero"], one["due_on"], one["status"])
        for one in house.clocks(case_id=case)
        if one["recipient"] == "CDE"
    ]


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, not yet submitted")
def test_a_patient_who_dies_before_the_report_is_sent_is_one_combined_report_by_the_earlier_date(
    tmp_path: Path,
) -> None:
    with rehearsal(tmp_path, at="2026-06-10T10:00+08:00") as house:
        first = admitted(onset="2026-06-08", investigator_aware_at="2026-06-09T20:00+08:00")
        case = house.report(first)["case_id"]
        house.settle()
        assert shape(house, case) == [("CN_SUSAR_15D", "2026-06-10", "2026-06-25", "RUNNING")]
        assert house.pages() == []

        house.move_to("2026-06-20T09:00+08:00")
        house.follow_up(case, news(case, first, **DIED))
        house.move_to("2026-06-20T09:05+08:00")
        answer_pages(house)
        assert shape(house, case) == [
            ("CN_SUSAR_15D", "2026-06-10", "2026-06-25", "SUPERSEDED"),
            ("CN_SUSAR_7D", "2026-06-20", "2026-06-25", "RUNNING"),
            ("CN_SUSAR_7D_PLUS_8D", "2026-06-20", "2026-07-05", "RUNNING"),
        ]
        combined = house.clock(case, "CN_SUSAR_7D")
        assert house.clock(case, "CN_SUSAR_15D")["superseded_by"] == combined["clock_id"]
        refused = house.try_to_submit(house.clock(case, "CN_SUSAR_15D"), "2026-06-20T09:00+08:00")
        assert refused.status_code == 409
        assert combined["clock_id"] in refused.json()["title"]

        house.move_to("2026-06-24T10:00+08:00")
        house.submit(combined, "2026-06-24T10:00+08:00")
        assert statuses(house.clock(case, "CN_SUSAR_15D")) == [
            ("RUNNING", "2026-06-10T10:00"),
            ("SUPERSEDED", "2026-06-20T09:00"),
        ]
        assert statuses(house.clock(case, "CN_SUSAR_7D")) == [
            ("RUNNING", "2026-06-20T09:00"),
            ("MET", "2026-06-24T10:00"),
        ]
        house.move_to("2026-06-26T12:00+08:00")
        assert house.pages() == [("fatal", "2026-06-20T09:00")]
        assert [told[1:] for told in house.told(case_id=case) if told[1].startswith("clock_")] == [
            ("clock_review", "medical_reviewer", "2026-06-11T10:00"),
            ("clock_warning", "safety_team", "2026-06-17T10:00"),
            ("clock_review", "medical_reviewer", "2026-06-21T09:00"),
            ("clock_warning", "safety_team", "2026-06-23T09:00"),
        ]


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, already submitted")
def test_a_patient_who_dies_after_the_report_has_seven_days_of_its_own_and_eight_more(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-06-10T10:00+08:00") as house:
        first = admitted(onset="2026-06-08", investigator_aware_at="2026-06-09T20:00+08:00")
        case = house.report(first)["case_id"]
        house.move_to("2026-06-15T10:00+08:00")
        house.submit(house.clock(case, "CN_SUSAR_15D"), "2026-06-15T10:00+08:00")

        house.move_to("2026-06-20T09:00+08:00")
        house.follow_up(case, news(case, first, **DIED))
        house.settle()
        answer_pages(house)
        assert shape(house, case) == [
            ("CN_SUSAR_15D", "2026-06-10", "2026-06-25", "MET"),
            ("CN_SUSAR_7D", "2026-06-20", "2026-06-27", "RUNNING"),
            ("CN_SUSAR_7D_PLUS_8D", "2026-06-20", "2026-07-05", "RUNNING"),
        ]
        house.move_to("2026-06-26T08:00+08:00")
        house.submit(house.clock(case, "CN_SUSAR_7D"), "2026-06-26T08:00+08:00", kind="follow_up")
        house.move_to("2026-07-03T08:00+08:00")
        house.submit(house.clock(case, "CN_SUSAR_7D_PLUS_8D"), "2026-07-03T08:00+08:00", kind="follow_up")
        house.move_to("2026-07-06T08:00+08:00")
        assert [status for _, _, _, status in shape(house, case)] == ["MET", "MET", "MET"]
        assert house.pages() == [("fatal", "2026-06-20T09:00")]


@pytest.mark.rule(
    "rules.md 1.4: significant follow-up", "rules.md 1.4: non-significant follow-up", "rules.md 1.4: significance",
    "CN_FU_15D",
)  # fmt: skip
def test_after_the_report_a_typo_is_held_a_narrative_is_read_and_a_change_of_causality_is_due_in_15_days(
    tmp_path: Path,
) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        first = {**admitted(verbatim="Arthralgia"), "narrative": "He limped."}
        case = house.report(first)["case_id"]
        house.move_to("2026-03-05T09:00+08:00")
        house.submit(house.clock(case, "CN_SUSAR_15D"), "2026-03-05T09:00+08:00")
        reported = shape(house, case)

        house.move_to("2026-03-06T09:00+08:00")
        house.follow_up(case, {"events": [{"ref": "1", "verbatim": "arthralgia"}]})
        house.settle()
        assert shape(house, case) == reported

        house.move_to("2026-03-07T09:00+08:00")
        house.follow_up(case, {"narrative": "He limped, and walks again."})
        house.settle()
        assert shape(house, case) == reported
        [to_judge] = house.alerts(case_id=case, kind="follow_up_to_judge")
        assert to_judge["level"] == "review"

        house.move_to("2026-03-10T23:30+08:00")
        house.follow_up(
            case, {"events": [{"ref": "1", "verbatim": "arthralgia", "outcome": "recovered_with_sequelae"}]}
        )
        house.settle()
        assert shape(house, case) == [*reported, ("CN_FU_15D", "2026-03-10", "2026-03-25", "RUNNING")]
        house.move_to("2026-03-12T09:00+08:00")
        house.submit(house.clock(case, "CN_FU_15D"), "2026-03-12T09:00+08:00", kind="follow_up")
        assert statuses(house.clock(case, "CN_FU_15D")) == [
            ("RUNNING", "2026-03-10T23:30"),
            ("MET", "2026-03-12T09:00"),
        ]
        assert house.pages() == []


@pytest.mark.rule("rules.md 1.4: sponsor alone wants unrelated", "rules.md 1.4: SUSAR to not SUSAR, not yet submitted")
def test_a_sponsor_alone_cannot_end_a_clock_and_with_the_site_it_takes_a_signature(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        first = fatal("S01-003")
        case = house.report(first)["case_id"]
        house.settle()
        answer_pages(house)
        sponsors = [{"agent": "product", "relation": "not_related"}]

        house.move_to("2026-03-03T08:00+08:00")
        house.sign(case, "medical_review", "died in a road accident", causality=sponsors)
        refused = house.try_to_sign(case, "downgrade", "died in a road accident")
        assert refused.status_code == 409
        running = house.clock(case, "CN_SUSAR_7D")
        assert (running["status"], running["in_question"]) == ("RUNNING", False)

        house.move_to("2026-03-04T08:00+08:00")
        house.follow_up(case, news(case, first, causality=NOT_RELATED))
        house.settle()
        asked = house.clock(case, "CN_SUSAR_7D")
        assert (asked["status"], asked["in_question"]) == ("RUNNING", True)
        [question] = house.alerts(case_id=case, kind="clock_in_question")
        assert question["level"] == "review"

        house.move_to("2026-03-04T15:00+08:00")
        house.sign(case, "downgrade", "both parties hold it unrelated: a road accident")
        house.move_to("2026-03-20T00:00+08:00")
        assert shape(house, case) == [
            ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "CANCELLED"),
            ("CN_SUSAR_7D_PLUS_8D", "2026-03-02", "2026-03-17", "CANCELLED"),
        ]
        cancelled = house.clock(case, "CN_SUSAR_7D")
        assert statuses(cancelled) == [("RUNNING", "2026-03-02T09:00"), ("CANCELLED", "2026-03-04T15:00")]
        last = cancelled["status_history"][-1]["reason"]
        assert "safety_physician" in last
        assert "a road accident" in last
        assert house.pages() == [("fatal", "2026-03-02T09:00")]
        assert [told[1] for told in house.told(case_id=case) if told[0] in ("escalate", "critical", "overdue")] == []


@pytest.mark.rule("rules.md 1.4: FATAL_LT to OTHER, not yet submitted", "readings.md clocks 5")
def test_a_threat_to_life_that_was_none_falls_back_to_day_zero_plus_15_by_signature(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        first = admitted(seriousness=["life_threatening"])
        case = house.report(first)["case_id"]
        house.settle()
        answer_pages(house)
        assert house.clock(case, "CN_SUSAR_7D")["due_on"] == "2026-03-09"

        house.move_to("2026-03-05T10:00+08:00")
        house.follow_up(case, news(case, first, seriousness=["hospitalisation"]))
        house.settle()
        assert house.clock(case, "CN_SUSAR_7D")["status"] == "RUNNING"
        house.move_to("2026-03-06T10:00+08:00")
        house.sign(case, "downgrade", "never in danger of life; the site corrected it")
        assert shape(house, case) == [
            ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "SUPERSEDED"),
            ("CN_SUSAR_15D", "2026-03-02", "2026-03-17", "RUNNING"),
            ("CN_SUSAR_7D_PLUS_8D", "2026-03-02", "2026-03-17", "SUPERSEDED"),
        ]
        house.move_to("2026-03-11T10:00+08:00")
        assert house.alerts(case_id=case, level="overdue") == []
        assert house.pages() == [("life_threatening", "2026-03-02T09:00")]


@pytest.mark.rule("readings.md clocks 4", "rules.md 1.4: wrong subject, not yet submitted")
def test_a_death_of_another_subject_keeps_its_day_zero_there_and_ends_here_by_signature(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T22:00+08:00") as house:
        wrong = house.report(fatal("S01-003"))["case_id"]
        house.settle()
        answer_pages(house)
        early = house.try_to_sign(wrong, "nullification", "S01-003 is well")
        assert early.status_code == 409

        house.move_to("2026-03-05T09:00+08:00")
        receipt = house.follow_up(
            wrong, {"nullify": True, "reason": "the death was of S01-004", "right_subject": "S01-004"}
        )
        right = receipt["moved_to"]
        house.settle()
        assert shape(house, right)[0] == ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "RUNNING")
        assert shape(house, wrong)[0] == ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "RUNNING")
        [told] = house.alerts(case_id=wrong, kind="nullified")
        assert told["level"] == "review"

        house.sign(wrong, "nullification", "the site named the wrong subject")
        house.settle()
        answer_pages(house)
        house.submit(house.clock(right, "CN_SUSAR_7D"), "2026-03-05T09:00+08:00")
        house.move_to("2026-03-12T09:00+08:00")
        assert {status for _, _, _, status in shape(house, wrong)} == {"CANCELLED"}
        assert shape(house, right)[0] == ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "MET")
        assert house.alerts(level="overdue") == []
        assert house.pages(case_id=wrong) == [("fatal", "2026-03-02T22:00")]
        assert house.pages(case_id=right) == [("fatal", "2026-03-05T09:00")]


@pytest.mark.rule("readings.md clocks 3", "rules.md 2.5: legal day zero", "rules.md 2.5: incomplete posts are accepted")
def test_a_death_told_in_five_words_rings_at_once_and_counts_from_the_fourth_element(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T23:40+08:00") as house:
        known = {"subject": "S01-003", "events": [{"verbatim": "found dead at home", "outcome": "fatal"}]}
        receipt = house.report(known)
        case = receipt["case_id"]
        assert receipt["complete"] is False
        assert sorted(missing["element"] for missing in receipt["missing"]) == ["product", "reporter"]
        house.move_to("2026-03-02T23:45+08:00")
        answer_pages(house)
        provisional = house.clock(case, "CN_SUSAR_7D")
        assert (provisional["day_zero"], provisional["due_on"], provisional["provisional"]) == (
            "2026-03-02", "2026-03-09", True,
        )  # fmt: skip

        house.move_to("2026-03-04T10:00+08:00")
        house.follow_up(case, {"reporter": {"role": "investigator"}})
        house.settle()
        assert house.clock(case, "CN_SUSAR_7D")["day_zero"] == "2026-03-02"

        house.move_to("2026-03-05T11:00+08:00")
        complete = house.follow_up(case, {"product": "KQ-2003"})
        house.settle()
        assert complete["complete"] is True
        assert complete["day_zero"][0]["day_zero"] == "2026-03-05"
        legal = house.clock(case, "CN_SUSAR_7D", status="RUNNING")
        assert (legal["day_zero"], legal["due_on"]) == ("2026-03-05", "2026-03-12")
        assert house.clock(case, "CN_SUSAR_7D", status="SUPERSEDED")["superseded_by"] == legal["clock_id"]
        assert house.pages() == [("fatal", "2026-03-02T23:40")]


@pytest.mark.rule("rules.md D3", "rules.md D1")
def test_a_death_told_by_telephone_three_days_before_counts_from_the_call_by_signature(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-05T09:00+08:00") as house:
        case = house.report(fatal("S01-003", investigator_aware_at="2026-03-01T20:00+08:00"))["case_id"]
        house.settle()
        answer_pages(house)
        assert house.clock(case, "CN_SUSAR_7D")["due_on"] == "2026-03-12"

        house.move_to("2026-03-05T15:00+08:00")
        later = house.try_to_sign(case, "awareness_override", "we read it later", aware_at="2026-03-05T09:01+08:00")
        assert later.status_code == 422
        assert later.json()["errors"][0]["allowed"] == "at most 2026-03-05T09:00:00+08:00"
        house.sign(
            case,
            "awareness_override",
            "the site rang the monitor; contact report 17",
            aware_at="2026-03-02T21:00+08:00",
        )
        house.settle()
        assert shape(house, case) == [
            ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "RUNNING"),
            ("CN_SUSAR_7D_PLUS_8D", "2026-03-02", "2026-03-17", "RUNNING"),
        ]
        assert house.clock(case, "INV_TO_SPONSOR_24H")["status"] == "LATE"
        change = house.clock(case, "CN_SUSAR_7D")["changes"][-1]
        assert change["before"]["day_zero"] == "2026-03-05"
        assert change["after"]["day_zero"] == "2026-03-02"
        assert "contact report 17" in change["reason"]
        house.move_to("2026-03-10T00:30+08:00")
        [ringing] = house.alerts(case_id=case, level="overdue")
        assert shanghai(ringing["raised_at"]) == "2026-03-10T00:00"
        assert house.pages() == [("fatal", "2026-03-05T09:00")]


@pytest.mark.rule("rules.md 1.4: nonserious to serious", "rules.md D4")
def test_a_mild_event_starts_nothing_until_it_is_serious(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        mild = admitted(verbatim="felt tired", serious=False, seriousness=[], grade={"ctcae": 1})
        case = house.report(mild)["case_id"]
        house.settle()
        assert house.clocks(case_id=case) == []
        assert [alert for alert in house.alerts() if alert["kind"] != "uncoded"] == []

        house.move_to("2026-03-09T16:00+08:00")
        house.follow_up(case, news(case, mild, serious=True, seriousness=["hospitalisation"], grade={"ctcae": 2}))
        house.settle()
        assert shape(house, case) == [("CN_SUSAR_15D", "2026-03-09", "2026-03-24", "RUNNING")]
        assert house.pages() == []


@pytest.mark.rule("readings.md clocks 2", "rules.md 1.1: suspected")
def test_what_is_not_said_of_seriousness_or_causality_is_taken_at_its_worst(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:

        def told(subject: str, **event: Any) -> list[tuple[str, str]]:
            body = about(subject, {"onset": "2026-03-01", "verbatim": "felt faint in the corridor", **event})
            case = house.report(body)["case_id"]
            house.settle()
            answer_pages(house)
            return [(one["rule"], one["due_on"]) for one in house.clocks(case_id=case) if one["recipient"] == "CDE"]

        seven = [("CN_SUSAR_7D", "2026-03-09"), ("CN_SUSAR_7D_PLUS_8D", "2026-03-17")]
        fifteen = [("CN_SUSAR_15D", "2026-03-17")]
        assert told("S01-011", causality=RELATED, grade={"ctcae": 2}) == fifteen
        assert told("S01-012", causality=RELATED, grade={"ctcae": 4}) == seven
        assert told("S01-013", causality=RELATED, grade={"ctcae": 5}) == seven
        assert told("S01-014", serious=True, seriousness=["hospitalisation"], grade={"ctcae": 2}) == fifteen
        # One party's "not related" leaves the other's opinion open.
        assert told("S01-015", serious=True, seriousness=["death"], causality=NOT_RELATED) == seven
        probably_not = [{"agent": "product", "party": "investigator", "relation": "可能无关"}]
        both = [*probably_not, {"agent": "product", "party": "sponsor", "relation": "not_related"}]
        assert (
            told("S01-016", serious=True, seriousness=["hospitalisation"], causality=both, grade={"ctcae": 2})
            == fifteen
        )
        neither = [*NOT_RELATED, {"agent": "product", "party": "sponsor", "relation": "not_related"}]
        assert (
            told("S01-017", serious=True, seriousness=["hospitalisation"], causality=neither, grade={"ctcae": 2}) == []
        )
        assert told("S01-018", serious=False, causality=RELATED, grade={"ctcae": 1}) == []
