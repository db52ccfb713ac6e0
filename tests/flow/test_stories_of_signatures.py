"""Stories that people end by their signature, before and after a report was sent. Times are Shanghai's.

Each is a case history on a rehearsal house, played by the public API alone. What is expected was written by hand from
the rules, and every page of the house is counted: the pages that a story does not name must not happen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.rehearsals import Rehearsal, admitted, fatal, rehearsal, statuses

UNRELATED = [
    {"agent": "product", "party": "investigator", "relation": "not_related"},
    {"agent": "product", "party": "sponsor", "relation": "not_related"},
]


def shape(house: Rehearsal, case: str) -> list[tuple[str, str, str, str]]:
    """(rule, day zero, due, status) of what is owed to the authority, soonest due first."""
    return [
        (one["rule"], one["day_zero"], one["due_on"], one["status"])
        for one in house.clocks(case_id=case)
        if one["recipient"] == "CDE"
    ]


def answer_pages(house: Rehearsal) -> None:
    house.settle()
    for page in house.alerts(level="page", state="open"):
        house.acknowledge(page)


def told_twice(house: Rehearsal) -> tuple[str, str]:
    """One death: told by the investigator on Monday night, and by the EDC's feed on Wednesday."""
    first = house.report(fatal("S01-003"))["case_id"]
    answer_pages(house)
    house.move_to("2026-03-04T09:00+08:00")
    feed: dict[str, Any] = {**fatal("S01-003"), "site": "S01", "source": {"system": "EDC"}}
    again = house.report(feed, site="all")
    assert [one["case_id"] for one in again["possible_duplicates"]] == [first]
    answer_pages(house)
    return first, again["case_id"]


@pytest.mark.rule("readings.md clocks 4", "rules.md 1.4: duplicate, not yet submitted")
def test_of_one_death_told_twice_the_later_case_is_cancelled_by_signature(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T22:00+08:00") as house:
        first, later = told_twice(house)
        # Until somebody signs, both run.
        assert shape(house, later)[0] == ("CN_SUSAR_7D", "2026-03-04", "2026-03-11", "RUNNING")
        house.move_to("2026-03-04T11:00+08:00")
        house.decide_duplicate(later, "one death, told by two")
        assert [status for *_, status in shape(house, later)] == ["CANCELLED", "CANCELLED"]
        assert statuses(house.clock(later, "CN_SUSAR_7D")) == [
            ("RUNNING", "2026-03-04T09:00"),
            ("CANCELLED", "2026-03-04T11:00"),
        ]
        assert shape(house, first)[0] == ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "RUNNING")
        house.submit(house.clock(first, "CN_SUSAR_7D"), "2026-03-04T11:00+08:00")
        house.move_to("2026-03-13T00:00+08:00")
        assert house.alerts(level="overdue") == []
        assert house.pages() == [("fatal", "2026-03-02T22:00"), ("fatal", "2026-03-04T09:00")]


@pytest.mark.rule("readings.md clocks 4")
def test_where_the_later_case_stays_it_takes_the_earlier_day_zero(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T22:00+08:00") as house:
        first, later = told_twice(house)
        house.decide_duplicate(later, "the feed's case is the fuller one", keep=later)
        assert {status for *_, status in shape(house, first)} == {"CANCELLED"}
        assert shape(house, later) == [
            ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "RUNNING"),
            ("CN_SUSAR_7D_PLUS_8D", "2026-03-02", "2026-03-17", "RUNNING"),
        ]
        house.move_to("2026-03-10T00:30+08:00")
        [overdue] = house.alerts(level="overdue")
        assert overdue["case_id"] == later


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, already submitted")
def test_a_death_found_unrelated_by_both_after_its_report_is_told_by_a_follow_up_and_never_nullified(
    tmp_path: Path,
) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        answer_pages(house)
        house.move_to("2026-03-04T09:00+08:00")
        house.submit(house.clock(case, "CN_SUSAR_7D"), "2026-03-04T09:00+08:00")

        house.move_to("2026-03-06T09:00+08:00")
        house.follow_up(case, {"events": [{"verbatim": "Cytokine release syndrome", "causality": UNRELATED}]})
        house.settle()
        house.sign(case, "downgrade", "the autopsy shows an aortic rupture")
        assert ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "MET") in shape(house, case)
        owed = house.clock(case, "CN_FU_15D")
        assert (owed["day_zero"], owed["due_on"], owed["status"]) == ("2026-03-06", "2026-03-21", "RUNNING")

        house.move_to("2026-03-12T09:00+08:00")
        house.submit(owed, "2026-03-12T09:00+08:00", kind="follow_up")
        assert {status for *_, status in shape(house, case)} == {"MET"}
        assert house.pages() == [("fatal", "2026-03-02T09:00")]


@pytest.mark.rule("rules.md 1.4: wrong subject, already submitted", "readings.md clocks 4")
def test_a_reported_death_of_another_subject_owes_a_nullification_and_the_right_case_was_due_already(
    tmp_path: Path,
) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        wrong = house.report(fatal("S01-003"))["case_id"]
        answer_pages(house)
        house.move_to("2026-03-04T09:00+08:00")
        house.submit(house.clock(wrong, "CN_SUSAR_7D"), "2026-03-04T09:00+08:00")

        house.move_to("2026-03-11T09:00+08:00")
        moved = {"nullify": True, "reason": "the death was of S01-004", "right_subject": "S01-004"}
        right = house.follow_up(wrong, moved)["moved_to"]
        answer_pages(house)
        house.sign(wrong, "nullification", "the site named the wrong subject")
        owed = house.clock(wrong, "CN_FU_15D")
        assert (owed["day_zero"], owed["due_on"]) == ("2026-03-11", "2026-03-26")

        # The right subject's report counts from the first one and was due on the 9th: it rings at once, and is late.
        assert shape(house, right)[0] == ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "RUNNING")
        [overdue] = house.alerts(level="overdue")
        assert (overdue["case_id"], overdue["notices"][0]["role"]) == (right, "medical_director")
        house.move_to("2026-03-11T10:30+08:00")
        house.submit(house.clock(right, "CN_SUSAR_7D"), "2026-03-11T10:30+08:00")
        house.submit(owed, "2026-03-11T10:30+08:00", kind="nullification")
        assert shape(house, right)[0] == ("CN_SUSAR_7D", "2026-03-02", "2026-03-09", "LATE")
        assert {status for *_, status in shape(house, wrong)} == {"MET"}
        assert house.pages() == [("fatal", "2026-03-02T09:00"), ("fatal", "2026-03-11T09:00")]


@pytest.mark.rule("rules.md 1.4: FATAL_LT to OTHER, not yet submitted")
def test_better_news_after_the_seven_days_ran_out_undoes_no_lateness(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        first = admitted(seriousness=["life_threatening"])
        case = house.report(first)["case_id"]
        answer_pages(house)
        house.move_to("2026-03-10T00:30+08:00")
        better = {"verbatim": first["events"][0]["verbatim"], "seriousness": ["hospitalisation"]}
        house.follow_up(case, {"events": [better]})
        house.settle()
        house.sign(case, "downgrade", "never in danger of life")
        assert house.clock(case, "CN_SUSAR_7D")["status"] == "RUNNING"
        fifteen = house.clock(case, "CN_SUSAR_15D")
        assert (fifteen["day_zero"], fifteen["due_on"], fifteen["status"]) == ("2026-03-02", "2026-03-17", "RUNNING")

        house.move_to("2026-03-10T02:30+08:00")
        house.submit(house.clock(case, "CN_SUSAR_7D"), "2026-03-10T02:30+08:00")
        assert house.clock(case, "CN_SUSAR_7D")["status"] == "LATE"
        assert house.clock(case, "CN_SUSAR_15D")["status"] == "MET"
        house.move_to("2026-03-18T12:00+08:00")
        assert [at for level, _, _, at in house.told(case_id=case) if level == "overdue"] == [
            "2026-03-10T00:00",
            "2026-03-10T01:00",
            "2026-03-10T02:00",
        ]
        assert house.pages() == [("life_threatening", "2026-03-02T09:00")]
