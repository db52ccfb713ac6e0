"""Stories of whom the house rings, when, and whom it must not ring. Times are Shanghai's.

Each is a case history on a rehearsal house, played by the public API alone. What is expected was written by hand from
the rules, and every page of the house is counted: the pages that a story does not name must not happen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.rehearsals import Rehearsal, about, admitted, fatal, rehearsal, rung, statuses

UNRELATED = [
    {"agent": "product", "party": "investigator", "relation": "not_related"},
    {"agent": "product", "party": "sponsor", "relation": "not_related"},
]
RELATED = [{"agent": "product", "party": "investigator", "relation": "related"}]


def told_of_clocks(house: Rehearsal, case: str) -> list[tuple[str, str, str]]:
    """(level, role, when) of every notice that time owed for the clocks of a case."""
    told = house.told(case_id=case)
    return [(level, role, at) for level, kind, role, at in told if kind.startswith("clock_")]


@pytest.mark.rule("rules.md 1.5: an unanswered page climbs", "readings.md clocks 9")
def test_nobody_answers_until_the_director_does_at_half_past_noon(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        house.move_to("2026-03-02T12:30+08:00")
        [page] = house.alerts(level="page")
        assert house.acknowledge(page, by="medical_director")["you_were_first"] is True
        house.move_to("2026-03-03T08:59+08:00")
        [page] = house.alerts(level="page")
        assert rung(page) == [
            ("safety_physician", "2026-03-02T09:00"),
            ("second_physician", "2026-03-02T09:15"),
            ("medical_director", "2026-03-02T10:00"),
            ("medical_director", "2026-03-02T11:00"),
            ("medical_director", "2026-03-02T12:00"),
        ]
        assert {(notice["channel"], notice["outcome"]) for notice in page["notices"]} == {("mail", "delivered")}
        assert page["acknowledged_by"] == "medical_director"
        # Answering a page sends nothing: the clock runs.
        assert house.clock(case, "CN_SUSAR_7D")["status"] == "RUNNING"


@pytest.mark.rule("readings.md clocks 8", "rules.md 1.5: what pages at once")
def test_what_is_worse_rings_again_and_what_is_equal_or_better_does_not(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        first = admitted()
        case = house.report(first)["case_id"]
        words = first["events"][0]["verbatim"]

        def follow_up(at: str, **event: Any) -> None:
            house.move_to(at)
            house.follow_up(case, {"events": [{"ref": "1", "verbatim": words, **event}]})
            house.settle()
            for page in house.alerts(level="page", state="open"):
                house.acknowledge(page)

        follow_up("2026-03-02T10:00+08:00", outcome="not_recovered")
        assert house.pages() == []
        follow_up("2026-03-02T11:00+08:00", grade={"ctcae": 3})
        follow_up("2026-03-02T12:00+08:00", grade={"ctcae": 3}, treatment="fluids")
        follow_up("2026-03-02T13:00+08:00", seriousness=["life_threatening"])
        follow_up("2026-03-02T14:00+08:00", seriousness=["hospitalisation", "life_threatening"])
        follow_up("2026-03-02T15:00+08:00", seriousness=["death", "life_threatening"], outcome="fatal")
        follow_up("2026-03-02T16:00+08:00", grade={"ctcae": 5})
        follow_up("2026-03-02T17:00+08:00", causality=UNRELATED)
        assert house.pages() == [
            ("potential_dlt", "2026-03-02T11:00"),
            ("life_threatening", "2026-03-02T13:00"),
            ("fatal", "2026-03-02T15:00"),
        ]
        assert [len(rung(page)) for page in house.alerts(level="page")] == [1, 1, 1]


@pytest.mark.rule(
    "rules.md 2.1: AESI", "rules.md 1.5: death pages irrespective of causality", "rules.md 1.5: a DLT candidate pages",
    "rules.md 1.3: not expedited",
)  # fmt: skip
def test_a_death_an_event_of_special_interest_and_a_potential_dlt_page_whatever_the_cause(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:

        def pages_and_clocks(subject: str, verbatim: str, **event: Any) -> tuple[list[str], list[str]]:
            facts = {"onset": "2026-03-01", "verbatim": verbatim, "causality": UNRELATED, **event}
            case = house.report(about(subject, facts))["case_id"]
            house.settle()
            pages = [kind for kind, _ in house.pages(case_id=case)]
            for page in house.alerts(level="page", state="open"):
                house.acknowledge(page)
            return pages, sorted(one["rule"] for one in house.clocks(case_id=case))

        not_serious = {"serious": False, "seriousness": []}
        stay = {"serious": True, "seriousness": ["hospitalisation"]}
        assert pages_and_clocks("S01-031", "hit by a car", serious=True, seriousness=["death"], outcome="fatal") == (
            ["fatal"], [],
        )  # fmt: skip
        assert pages_and_clocks("S01-032", "ICANS", grade={"ctcae": 3, "astct": 3}, **not_serious)[0] == [
            "special_interest"
        ]
        assert pages_and_clocks("S01-033", "HBV reactivation", grade={"ctcae": 2}, **stay) == (["special_interest"], [])
        assert pages_and_clocks("S01-034", "T-cell lymphoma", grade={"ctcae": 2}, **stay) == (["special_interest"], [])
        # One party's word leaves the cause open.
        assert pages_and_clocks("S01-035", "Dyspnea", grade={"ctcae": 3}, causality=UNRELATED[:1], **not_serious) == (
            ["potential_dlt"], [],
        )  # fmt: skip
        assert pages_and_clocks("S01-036", "felt tired", grade={"ctcae": 1}, **not_serious) == ([], [])
        assert pages_and_clocks("S01-037", "broken leg", grade={"ctcae": 2}, **stay) == ([], [])
        assert len(house.pages()) == 5


@pytest.mark.rule("rules.md 1.5: overdue", "readings.md clocks 9")
def test_an_overdue_report_is_silenced_by_the_director_alone_and_for_four_hours(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        house.settle()
        house.acknowledge(house.alerts(level="page")[0])
        house.move_to("2026-03-10T01:20+08:00")
        [overdue] = house.alerts(level="overdue")
        for role in ("safety_physician", "second_physician", "safety_team"):
            answer = house.ask("POST", f"/v1/alerts/{overdue['alert_id']}/acknowledgements", by=role)
            assert answer.status_code == 403
        house.acknowledge(overdue, by="medical_director")
        house.move_to("2026-03-10T06:50+08:00")
        assert [at for level, _, at in told_of_clocks(house, case) if level == "overdue"] == [
            "2026-03-10T00:00",
            "2026-03-10T01:00",
            "2026-03-10T05:20",
            "2026-03-10T06:20",
        ]
        house.submit(house.clock(case, "CN_SUSAR_7D"), "2026-03-10T06:50+08:00")
        house.move_to("2026-03-10T23:00+08:00")
        assert len(told_of_clocks(house, case)) == 8
        assert {alert["state"] for alert in house.alerts(level="overdue")} == {"acknowledged", "closed"}
        assert house.clock(case, "CN_SUSAR_7D")["status"] == "LATE"
        assert house.pages() == [("fatal", "2026-03-02T09:00")]


@pytest.mark.rule("rules.md 1.5: 15-day notices", "readings.md clocks 7", "CN_SUSAR_15D")
def test_a_fifteen_day_report_that_nobody_sends_is_told_five_times_and_never_pages(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(admitted())["case_id"]
        house.move_to("2026-03-18T01:30+08:00")
        assert told_of_clocks(house, case) == [
            ("review", "medical_reviewer", "2026-03-03T09:00"),
            ("warn", "safety_team", "2026-03-09T09:00"),
            ("warn", "safety_team", "2026-03-13T09:00"),
            ("escalate", "medical_director", "2026-03-15T09:00"),
            ("critical", "medical_director", "2026-03-16T09:00"),
            ("overdue", "medical_director", "2026-03-18T00:00"),
            ("overdue", "medical_director", "2026-03-18T01:00"),
        ]
        for alert in house.alerts(case_id=case):
            if alert["kind"].startswith("clock_"):
                said = " ".join(alert["reasons"])
                for word in ("CN_SUSAR_15D", "CDE safety data rapid reporting standard (2018)", "day 0 is 2026-03-02"):
                    assert word in said
        assert house.pages() == []


@pytest.mark.rule("readings.md clocks 7")
def test_a_review_that_was_signed_is_not_asked_for(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        house.settle()
        house.acknowledge(house.alerts(level="page")[0])
        house.move_to("2026-03-02T16:00+08:00")
        house.sign(
            case, "medical_review", "onset two days after infusion", by="medical_reviewer", expectedness="unexpected"
        )
        house.move_to("2026-03-05T09:00+08:00")
        assert told_of_clocks(house, case) == [("warn", "safety_team", "2026-03-05T09:00")]


@pytest.mark.rule("rules.md D4", "rules.md 1.4: unrelated to related")
def test_old_facts_judged_anew_keep_their_day_zero_and_the_clock_is_born_late_and_rings_at_once(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(admitted(causality=UNRELATED))["case_id"]
        house.settle()
        assert [one["rule"] for one in house.clocks(case_id=case)] == ["INV_TO_SPONSOR_24H"]

        house.move_to("2026-03-20T10:00+08:00")
        related = [{"agent": "product", "relation": "related"}]
        house.sign(case, "medical_review", "the course fits the product after all", causality=related)
        house.move_to("2026-03-20T11:30+08:00")
        late = house.clock(case, "CN_SUSAR_15D")
        assert (late["day_zero"], late["due_on"], late["status"]) == ("2026-03-02", "2026-03-17", "RUNNING")
        assert [told for told in told_of_clocks(house, case) if told[0] == "overdue"] == [
            ("overdue", "medical_director", "2026-03-20T10:00"),
            ("overdue", "medical_director", "2026-03-20T11:00"),
        ]
        house.submit(late, "2026-03-20T11:30+08:00")
        assert statuses(house.clock(case, "CN_SUSAR_15D")) == [
            ("RUNNING", "2026-03-20T10:00"),
            ("LATE", "2026-03-20T11:30"),
        ]
        assert house.pages() == []


@pytest.mark.rule("rules.md 1.5: what pages at once")
def test_a_pregnancy_a_wrong_product_and_an_overdose_page_and_a_question_to_a_site_does_not(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        who = {"product": "KQ-2003", "reporter": {"role": "investigator"}}
        kinds = {"pregnancy": "partner", "product_event": "mix_up", "medication_error": "overdose"}
        for number, (kind, detail) in enumerate(kinds.items(), 41):
            house.report({"subject": f"S01-0{number}", "kind": kind, "detail": detail, **who})
            house.settle()
            for page in house.alerts(level="page", state="open"):
                house.acknowledge(page)
        house.report(
            {"subject": "S01-044", "events": [{"verbatim": "itching", "serious": False, "grade": {"ctcae": 1}}]}
        )
        house.move_to("2026-03-02T09:30+08:00")
        assert house.pages() == [(kind, "2026-03-02T09:00") for kind in sorted(kinds)]
        assert any(mail["to"] == "site-s01@trial.invalid" for mail in house.mails())


@pytest.mark.rule("promise: nothing accepted is lost, and nothing counts twice")
def test_the_same_report_sent_twice_is_one_case_one_page_and_one_set_of_clocks(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        key = {"Idempotency-Key": "S01-report-0001"}
        first = house.report(fatal(), **key)
        house.move_to("2026-03-03T10:00+08:00")
        again = house.report(fatal(), **key)
        house.settle()
        assert again == first
        assert len(house.clocks(case_id=first["case_id"])) == len(house.clocks()) == 4
        assert house.pages() == [("fatal", "2026-03-02T09:00")]
